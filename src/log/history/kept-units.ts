import type { UnitFacts } from '../../unit-line.ts';

/** What of every unit has to be at hand. */
export interface KeptKeys {
  readonly spki: string | undefined;
  /** Of a unit that is not void. */
  readonly liveChip: string | undefined;
}

/**
 * Units as they were kept: their lines in the order of their ids, each read only when its unit is asked for. So a
 * million of them are at hand before a second has gone.
 */
export class KeptUnits {
  readonly #lines: Buffer;
  /** Where each line begins, and where the last one ends. */
  readonly #starts: number[] = [0];

  constructor(lines: Buffer) {
    this.#lines = lines;
    for (let at = lines.indexOf('\n'); at >= 0; at = lines.indexOf('\n', at + 1)) this.#starts.push(at + 1);
  }

  get size(): number {
    return this.#starts.length - 1;
  }

  find(id: number): UnitFacts | undefined {
    const place = this.placeOf(id);
    if (place >= this.size || this.#idAt(place) !== id) return undefined;
    return JSON.parse(this.lines(place, place + 1).toString());
  }

  /** The first place whose id is not below this one. */
  placeOf(id: number): number {
    let [from, to] = [0, this.size];
    while (from < to) {
      const middle = Math.floor((from + to) / 2);
      if (this.#idAt(middle) < id) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  /** The text of the lines from one place up to another. */
  lines(from: number, to: number): Buffer {
    return this.#lines.subarray(this.#starts[from], this.#starts[to]);
  }

  /** They stand at the end of a line: `unitLine` sorts its keys. */
  *keys(): Generator<KeptKeys> {
    const end = /"spki":(?:null|"([0-9a-f]{64})"),"state":"([a-z]+)","uid":(?:null|"([0-9A-F]{8,32})")\}\n$/;
    for (const start of this.#starts.slice(1)) {
      const [, spki, state, uid] =
        end.exec(this.#lines.toString('latin1', Math.max(0, start - 160), start)) ?? [];
      yield { spki, liveChip: state === 'void' ? undefined : uid };
    }
  }

  #idAt(place: number): number {
    const at = this.#lines.indexOf('"id":"', this.#starts[place]) + 6;
    return Number.parseInt(this.#lines.toString('latin1', at, at + 8), 16);
  }
}
