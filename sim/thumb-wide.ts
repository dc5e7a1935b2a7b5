import type { Width } from './bus.ts';

// The 32-bit Thumb instructions that OpenOCD's loaders use, besides BL: data processing with an immediate, loads and
// stores with an immediate offset, barriers (ARMv7-M ARM A5.3.1, A5.3.4, A5.3.7 to A5.3.10).

const PC = 15;

export type Wide =
  | { readonly kind: 'barrier' }
  | {
      readonly kind: 'data';
      /** A5.3.1, table A5-10, bits 24:21. */
      readonly operation: number;
      readonly setFlags: boolean;
      readonly d: number;
      readonly n: number;
      readonly immediate: number;
      /** Carry out of the immediate; undefined leaves the flag alone. */
      readonly carry: number | undefined;
    }
  | {
      readonly kind: 'memory';
      readonly load: boolean;
      readonly width: Width;
      readonly signed: boolean;
      readonly t: number;
      readonly n: number;
      readonly offset: number;
      /** The offset counts for the address, and goes into the base register. */
      readonly index: boolean;
      readonly writeBack: boolean;
    };

/** Undefined for every encoding that is not among them. */
export function decodeWide(first: number, second: number): Wide | undefined {
  if (first === 0xf3bf && (second & 0xffc0) === 0x8f40) return { kind: 'barrier' }; // DSB, DMB, ISB
  if ((first & 0xfa00) === 0xf000 && (second & 0x8000) === 0) return dataProcessing(first, second);
  return (first & 0xfe00) === 0xf800 ? memory(first, second) : undefined;
}

function dataProcessing(first: number, second: number): Wide {
  const imm12 = ((first & 0x400) << 1) | ((second >> 4) & 0x700) | (second & 0xff);
  return {
    kind: 'data',
    operation: (first >> 5) & 0xf,
    setFlags: (first & 0x10) !== 0,
    n: first & 0xf,
    d: (second >> 8) & 0xf,
    ...expandImmediate(imm12),
  };
}

/** ThumbExpandImm_C (A5.3.2): a byte, a byte repeated, or eight bits turned to where they are wanted. */
function expandImmediate(imm12: number): { immediate: number; carry: number | undefined } {
  const byte = imm12 & 0xff;
  if (imm12 >>> 10 === 0) {
    const repeated = [byte, byte | (byte << 16), (byte << 8) | (byte << 24), byte * 0x01010101];
    return { immediate: (repeated[imm12 >> 8] ?? 0) | 0, carry: undefined };
  }
  const turn = imm12 >> 7;
  const value = 0x80 | (imm12 & 0x7f);
  const immediate = (value >>> turn) | (value << (32 - turn));
  return { immediate, carry: immediate >>> 31 };
}

const WIDTHS: readonly (Width | undefined)[] = [1, 2, 4, undefined];

function memory(first: number, second: number): Wide | undefined {
  const width = WIDTHS[(first >> 5) & 3];
  const [load, signed] = [(first & 0x10) !== 0, (first & 0x100) !== 0];
  const [n, t] = [first & 0xf, second >> 12];
  if (width === undefined || (signed && (!load || width === 4)) || n === PC || t === PC) return undefined;
  const common = { kind: 'memory', load, signed, width, n, t } as const;
  if (first & 0x80) return { ...common, offset: second & 0xfff, index: true, writeBack: false };
  // Bits 10 to 8 are P, U and W: without P and W there is no such instruction.
  if ((second & 0x800) === 0 || (second & 0x500) === 0) return undefined;
  const offset = second & 0x200 ? second & 0xff : -(second & 0xff);
  return { ...common, offset, index: (second & 0x400) !== 0, writeBack: (second & 0x100) !== 0 };
}
