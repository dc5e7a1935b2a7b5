/** Bytes of a firmware and the address of the first of them. */
export interface Segment {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** What is wrong with the content of a firmware file, in words for the operator. */
export class FirmwareRefused extends Error {}

/**
 * Sorts segments by address.
 * @throws FirmwareRefused if there are none, or two bytes for one address: tools differ on which one wins
 */
export function sortSegments(segments: readonly Segment[]): Segment[] {
  if (segments.length === 0) throw new FirmwareRefused('it has no bytes to program');
  const sorted = segments.toSorted((a, b) => a.address - b.address);
  let end = 0;
  for (const segment of sorted) {
    if (segment.address < end)
      throw new FirmwareRefused(`it has two bytes for ${hexAddress(segment.address)}`);
    end = endOf(segment);
  }
  return sorted;
}

/**
 * Joins sorted segments that touch. It copies, so check their placement first: segments of an ELF file may
 * share bytes, and a small file could so fill the whole address space.
 */
export function joinSegments(sorted: readonly Segment[]): Segment[] {
  const runs: { address: number; end: number; parts: Uint8Array[] }[] = [];
  for (const segment of sorted) {
    const run = runs.at(-1);
    if (run?.end !== segment.address) runs.push({ ...segment, end: endOf(segment), parts: [segment.bytes] });
    else {
      run.parts.push(segment.bytes);
      run.end = endOf(segment);
    }
  }
  return runs.map(({ address, parts }) => ({ address, bytes: new Uint8Array(Buffer.concat(parts)) }));
}

/** The first address after a segment. */
export function endOf(segment: Segment): number {
  return segment.address + segment.bytes.length;
}

/** An address as operators and datasheets write it: `0x000FF000`. */
export function hexAddress(address: number): string {
  return `0x${address.toString(16).toUpperCase().padStart(8, '0')}`;
}
