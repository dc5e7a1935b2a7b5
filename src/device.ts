import { LinesideError } from './errors.ts';

declare const brand: unique symbol;

/** Unsigned 32 bit, written as 8 upper-case hex digits; 00000000 and FFFFFFFF are reserved. */
export type DeviceId = string & { readonly [brand]: 'DeviceId' };

/** @throws LinesideError `bad-id` */
export function parseDeviceId(text: string): DeviceId {
  const reserved = text === '00000000' || text === 'FFFFFFFF';
  if (reserved || !/^[0-9A-F]{8}$/.test(text)) throw new LinesideError('bad-id', { id: text });
  return text as DeviceId;
}

export function deviceIdFromNumber(value: number): DeviceId {
  return parseDeviceId(value.toString(16).toUpperCase().padStart(8, '0'));
}

export function deviceIdToNumber(id: DeviceId): number {
  return Number.parseInt(id, 16);
}

/** A range of ids, both ends included, that one station may use. */
export interface Lease {
  readonly first: DeviceId;
  readonly last: DeviceId;
}

/** Reads `00000001-0000FFFF`. @throws LinesideError `bad-lease` */
export function parseLease(text: string): Lease {
  const [first, last, ...rest] = text.split('-');
  try {
    if (first === undefined || last === undefined || rest.length > 0 || first > last)
      throw new Error('order');
    return { first: parseDeviceId(first), last: parseDeviceId(last) };
  } catch (cause) {
    throw new LinesideError('bad-lease', { lease: text }, { cause });
  }
}

/** The life of a unit; `void` is terminal, and its id and key are never used again. */
export const unitStates = [
  'reserved',
  'keyed',
  'flashing',
  'flashed',
  'verified',
  'exported',
  'certified',
  'installed',
  'void',
] as const;
export type UnitState = (typeof unitStates)[number];

/** A unit the line stopped working on in one of these states is in doubt: only the board can tell. */
export const inDoubtStates: readonly UnitState[] = ['reserved', 'keyed', 'flashing', 'flashed'];

/** What the station learns of the board before it spends an id on it. */
export interface Board {
  /** The chip's own unique number, upper-case hex, 16 digits for a Nordic FICR.DEVICEID. */
  readonly uid: string;
  /** What lies where the identity page belongs. */
  readonly page: IdentityPage;
}

/** `interrupted`: body bytes but no magic word, so the power went during an earlier write. */
export type IdentityPage =
  | { readonly kind: 'blank' }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'damaged' }
  | { readonly kind: 'identity'; readonly id: DeviceId; readonly publicKey: string };
