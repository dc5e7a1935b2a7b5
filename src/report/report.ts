import type { Finding } from '../audit/finding.ts';
import type { Unit, UnitLeaf } from './unit.ts';

/** Days, UTC, both included; null is from the first, or to the last. */
export interface Period {
  readonly from: string | null;
  readonly to: string | null;
}

/** All that a report tells, in whatever form, beside what an audit found. */
export interface Report {
  readonly station: string;
  readonly chip: string;
  readonly madeAt: Date;
  /** Of lineside. */
  readonly version: string;
  readonly period: Period;
  /** Units whose id was reserved in the period, in that order. */
  readonly units: readonly Unit[];
  /** What the log says beside units, in the period. */
  readonly events: readonly StationLeaf[];
  readonly leases: readonly LeaseStanding[];
  readonly log: LogStanding;
  /** The leaves that name a unit, in order. */
  readonly leavesOf: (unit: Unit) => Promise<readonly UnitLeaf[]>;
  /** All leaves of the log, whatever the period. */
  readonly leaves: () => AsyncIterable<{ readonly [key: string]: unknown }>;
  /** The serial number of each unit's newest certificate, upper-case hex, by the SHA-256 of that certificate. */
  readonly serials: () => Promise<ReadonlyMap<string, string>>;
}

/** What an audit of the station has looked at, and what it has to say. */
export interface Audited {
  readonly checked: Readonly<
    Record<'entries' | 'units' | 'requests' | 'certificates' | 'leases' | 'batches' | 'files', number>
  >;
  readonly findings: readonly Finding[];
}

/** A leaf that names no unit. */
export interface StationLeaf {
  readonly n: number;
  readonly t: string;
  readonly ev: string;
  readonly [key: string]: string | number | boolean | null | undefined;
}

export interface LeaseStanding {
  readonly first: string;
  readonly last: string;
  readonly used: number;
  readonly left: number;
  readonly closed: boolean;
}

/** How far the log goes, and who vouches for how much of it. */
export interface LogStanding {
  /** Leaves. */
  readonly size: number;
  /** The last checkpoint that the station signed. */
  readonly signed: Signed | null;
  /** The last one that the CA signed as well. */
  readonly witnessed: Witnessed | null;
}

export interface Signed {
  readonly origin: string;
  readonly size: number;
  /** RFC 6962, base64 as in the checkpoint. */
  readonly root: string;
  /** The signed note. */
  readonly note: string;
}

export interface Witnessed extends Signed {
  readonly witness: string;
  readonly time: Date;
  /** Whether the log still begins with it. */
  readonly holds: boolean;
}
