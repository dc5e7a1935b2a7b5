import { type Finding, finding } from '../finding.ts';
import type { Leaf } from '../leaf.ts';

export interface LeaseState {
  readonly first: number;
  readonly last: number;
  readonly open: boolean;
  /** Every id of it below this one is used. */
  readonly next: number;
}

/** The leases of a station as its log tells of them. Ids are the number behind the 8 hex digits. */
export class Leases {
  readonly #leases: { first: number; last: number; open: boolean; next: number }[];

  constructor(leases: readonly LeaseState[] = []) {
    this.#leases = leases.map((lease) => ({ ...lease }));
  }

  get state(): readonly LeaseState[] {
    return this.#leases;
  }

  accept({ n, lease }: Leaf): Finding | undefined {
    const { first, last } = range(lease);
    if (first > last || this.#leases.some((other) => first <= other.last && last >= other.first))
      return finding('lease-overlaps', { n, lease: String(lease) });
    this.#leases.push({ first, last, open: true, next: first });
    return undefined;
  }

  close({ n, lease }: Leaf): Finding | undefined {
    const { first, last } = range(lease);
    const found = this.#leases.find((other) => other.first === first && other.last === last && other.open);
    if (found === undefined) return finding('lease-unknown', { n, lease: String(lease) });
    found.open = false;
    return undefined;
  }

  /** Whether this id may be given to a device now. */
  hold(id: number): boolean {
    return this.#leases.some(({ first, last, open }) => open && first <= id && id <= last);
  }

  /** The lowest id never used of the first lease that has one; null if none has. */
  nextId(isUsed: (id: number) => boolean): number | null {
    for (const lease of this.#leases) {
      while (lease.open && lease.next <= lease.last && isUsed(lease.next)) lease.next += 1;
      if (lease.open && lease.next <= lease.last) return lease.next;
    }
    return null;
  }
}

function range(lease: unknown): { first: number; last: number } {
  const [first = '', last = ''] = String(lease).split('-');
  return { first: Number.parseInt(first, 16), last: Number.parseInt(last, 16) };
}
