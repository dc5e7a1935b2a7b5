import { createHash, type KeyObject } from 'node:crypto';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type OpenAuthority, openAuthority } from '../../src/authority-directory.ts';
import { unlock } from '../../src/authority-keys.ts';
import { insertLease, insertStation } from '../../src/ca/ledger/station-rows.ts';
import { parseStation } from '../../src/config.ts';
import { type DeviceId, parseDeviceId, parseLease } from '../../src/device.ts';
import { exportBatch } from '../../src/export-batch.ts';
import { importBatch } from '../../src/import-batch.ts';
import { writeLease } from '../../src/lease-note.ts';
import { reissueFleet } from '../../src/reissue.ts';
import { createStation, openStation, type Station } from '../../src/station-directory.ts';
import { readStationKey } from '../../src/station-key.ts';
import { takeLease } from '../../src/take-lease.ts';
import { trustAuthority } from '../../src/trusted-authority.ts';
import { assemble, goodParts } from '../csr/bad-requests.ts';
import { answered, password } from './submitted.ts';

/** A station st07, what it goes through, and the CAs it goes through it with: all by the product's own hands. */
export class StationLife {
  readonly directory: string;
  /** The private keys of its units, which nobody but a test has. */
  readonly keys = new Map<DeviceId, KeyObject>();
  readonly #workshop: string;
  readonly #authorities: readonly string[];
  #authority = 0;
  #batches = 0;

  private constructor(workshop: string, authorities: readonly string[]) {
    this.#workshop = workshop;
    this.#authorities = authorities;
    this.directory = join(workshop, 'st07');
  }

  /** @param authorities directories of two CAs, which are copied: the second one takes over from the first */
  static async begin(workshop: string, authorities: readonly [string, string]): Promise<StationLife> {
    await mkdir(workshop, { recursive: true });
    const copies = authorities.map((_, at) => join(workshop, `ca-${at}`));
    for (const [at, copy] of copies.entries()) await cp(authorities[at] ?? '', copy, { recursive: true });
    const life = new StationLife(workshop, copies);
    await createStation(
      life.directory,
      parseStation('st07', 'nrf52840', []),
      parseLease('00000001-00000010'),
    );
    await life.#withAuthority(async (authority) => {
      const { verifier } = await readStationKey(life.directory, 'st07');
      await authority.ledger.transaction(async (sql) => {
        await insertStation(sql, { name: 'st07', verifier: verifier.line }, 'test', new Date());
        await insertLease(sql, 'st07', parseLease('00000001-00000010'), 'test', new Date());
      });
      await life.#withStation(({ registry }) => trustAuthority(registry, authority.exchange, 'first'));
    });
    return life;
  }

  /** Units that come as far as this. */
  async make(count: number, to: Reached = 'verified'): Promise<void> {
    for (let made = 0; made < count; made += 1) await this.add(to);
  }

  /** One unit, of the next id or of this one, with a new key or with this request. */
  async add(to: Reached, id?: string, request: (id: DeviceId) => Request = newRequest): Promise<void> {
    await this.#withStation(async ({ registry }) => {
      const unit = id === undefined ? await registry.reserveNext() : parseDeviceId(id);
      if (id !== undefined) await registry.reserve(unit);
      const { csr, spki, key } = request(unit);
      const steps = [
        { to: 'keyed', csr, spkiSha256: createHash('sha256').update(spki).digest('hex') },
        { to: 'flashing', uid: `A0B1C2D3${unit}`, probe: 'a', firmwareSha256 },
        { to: 'flashed' },
        { to: 'verified', proof: 'read-back', locked: false },
      ] as const;
      const last = steps.findIndex((step) => step.to === to);
      for (const step of steps.slice(0, last + 1)) await registry.advance(unit, step);
      if (last >= 0) this.keys.set(unit, key);
    });
  }

  async void(id: string, reason: string): Promise<void> {
    await this.#withStation(({ registry }) => registry.advance(parseDeviceId(id), { to: 'void', reason }));
  }

  /** The requests of all verified units to the CA, and its certificates back. */
  async exchange(): Promise<void> {
    const [out, answer] = ['out', 'in'].map((way) => join(this.#workshop, `${way}-${this.#batches}`)) as [
      string,
      string,
    ];
    this.#batches += 1;
    await this.#withAuthority((authority) =>
      this.#withStation(async (station) => {
        await exportBatch(this.directory, station, out, 'next');
        await answered(authority, out, answer, by());
        await importBatch(station, answer);
      }),
    );
  }

  async install(id: string): Promise<void> {
    await this.#withStation(async ({ registry }) => {
      const { generation = 0 } = (await registry.credentials(parseDeviceId(id))) ?? {};
      await registry.advance(parseDeviceId(id), { to: 'installed', generation, locked: true });
    });
  }

  async lease(range: string): Promise<void> {
    const note = join(this.#workshop, `${range}.lease`);
    await this.#withAuthority(async (authority) => {
      const lease = parseLease(range);
      await authority.ledger.transaction((sql) => insertLease(sql, 'st07', lease, 'test', new Date()));
      const signer = await unlock(authority, password(), (keys) => keys.exchange());
      await writeFile(note, writeLease('st07', lease, signer));
      await this.#withStation((station) => takeLease(station, note));
    });
  }

  /** The second CA takes over, and certifies all devices anew. */
  async succeed(): Promise<void> {
    const out = join(this.#workshop, 'succession');
    await this.#withAuthority(async (before) => {
      this.#authority = 1;
      await this.#withAuthority(async (authority) => {
        const order = { before, units: undefined, expired: 'leave-out', brokerAnchors: 'both' } as const;
        const agree = {
          consent: <T>(_: unknown, use: Parameters<typeof unlock<T>>[2]) =>
            unlock(authority, password(), use),
          progress: () => {},
        };
        const { stations } = await reissueFleet(authority, order, out, by(), agree);
        await this.#withStation(async (station) => {
          await trustAuthority(station.registry, authority.exchange, 'successor');
          for (const name of stations) await importBatch(station, join(out, 'stations', name));
        });
      });
    });
  }

  async #withStation<T>(work: (station: Station) => Promise<T>): Promise<T> {
    const station = await openStation(this.directory);
    try {
      return await work(station);
    } finally {
      await station.registry.close();
    }
  }

  async #withAuthority<T>(work: (authority: OpenAuthority) => Promise<T>): Promise<T> {
    const authority = await openAuthority(this.#authorities[this.#authority] ?? '', new Date());
    try {
      return await work(authority);
    } finally {
      await authority.ledger.close();
    }
  }
}

type Reached = 'reserved' | 'keyed' | 'flashing' | 'flashed' | 'verified';

export interface Request {
  readonly csr: Uint8Array;
  /** SubjectPublicKeyInfo DER. */
  readonly spki: Uint8Array;
  readonly key: KeyObject;
}

function newRequest(id: DeviceId): Request {
  const parts = goodParts(id);
  return { csr: assemble(parts), spki: parts.publicKeyInfo, key: parts.key };
}

const firmwareSha256 = createHash('sha256').update('firmware').digest('hex');

const by = () => ({ station: null, officer: 'test', now: new Date() });
