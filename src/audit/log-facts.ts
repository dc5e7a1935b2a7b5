import type { Finding as LogFinding } from '../log/finding.ts';
import type { Direction } from '../registry/batch.ts';
import { type Finding, found, station } from './finding.ts';

interface LoggedBatch {
  readonly manifest: string;
  readonly at: string;
  written: string | null;
}

/** What a log says beside the lives of its units: what the other tables of the registry must hold. */
export class LogFacts {
  size = 0;
  chip: string | undefined;
  /** SHA-256 of the line of the key that counts now: the last one that was made. */
  stationKey: string | undefined;
  readonly trusts: { readonly signer: string; readonly at: string }[] = [];
  /** By their range. */
  readonly leases = new Map<string, { closed: string | null }>();
  readonly #batches = new Map<string, LoggedBatch>();
  readonly #certificates = new Map<string, { readonly batch: number; readonly sha256: string }>();
  seal: { readonly n: number; readonly at: string } | undefined;

  /** Takes the next leaf, whatever it is: whether it is a true one is asked elsewhere. */
  see(bytes: Uint8Array): void {
    this.size += 1;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    const [, ev = ''] = /"ev":"([a-z.]+)"/.exec(text) ?? [];
    if (ev.startsWith('unit.') && ev !== 'unit.certified' && ev !== 'unit.reissued') return;
    const leaf = parsed(bytes);
    if (leaf !== undefined) this.#learn(ev, leaf);
  }

  batch(direction: Direction, sequence: number): LoggedBatch | undefined {
    return this.#batches.get(`${direction} ${sequence}`);
  }

  /** Every batch that the log knows. */
  *batches(): Generator<{ readonly direction: Direction; readonly sequence: number }> {
    for (const key of this.#batches.keys())
      yield { direction: key.startsWith('out') ? 'out' : 'in', sequence: Number(key.split(' ')[1]) };
  }

  /** Takes a certificate out: what is left at the end was not asked for. */
  takeCertificate(id: string, generation: number): { batch: number; sha256: string } | undefined {
    const key = `${id} ${generation}`;
    const known = this.#certificates.get(key);
    this.#certificates.delete(key);
    return known;
  }

  /** The certificates that nobody took out. */
  *certificates(): Generator<{ readonly id: string; readonly generation: number }> {
    for (const key of this.#certificates.keys()) {
      const [id = '', generation] = key.split(' ');
      yield { id, generation: Number(generation) };
    }
  }

  #learn(ev: string, leaf: Readonly<Record<string, unknown>>): void {
    const text = (key: string) => String(leaf[key]);
    const at = text('t');
    switch (ev) {
      case 'station.init':
        this.chip = text('chip');
        break;
      case 'station.key':
        this.stationKey = text('signer');
        break;
      case 'authority.trust':
        this.trusts.push({ signer: text('signer'), at });
        break;
      case 'lease.accept':
        this.leases.set(text('lease'), { closed: null });
        break;
      case 'lease.close':
        this.leases.set(text('lease'), { closed: at });
        break;
      case 'export.batch':
      case 'import.batch': {
        const direction = ev === 'export.batch' ? 'out' : 'in';
        this.#batches.set(`${direction} ${text('batch')}`, { manifest: text('manifest'), at, written: null });
        break;
      }
      case 'export.written': {
        const batch = this.batch('out', Number(leaf['batch']));
        if (batch) batch.written = at;
        break;
      }
      case 'unit.certified':
      case 'unit.reissued':
        this.#certificates.set(`${text('id')} ${text('generation')}`, {
          batch: Number(leaf['batch']),
          sha256: text('cert'),
        });
        break;
      case 'seal':
        this.seal = { n: Number(leaf['n']), at };
        break;
      default:
    }
  }
}

/** A finding about the log as one of the audit. */
export function byLog({ weight, what, means, facts }: LogFinding): Finding {
  const { n, id } = facts;
  const subject =
    typeof n === 'number'
      ? ({ kind: 'leaf', n } as const)
      : typeof id === 'string'
        ? ({ kind: 'unit', id } as const)
        : station;
  return found(weight === 'evidence' ? 'log-tampered' : 'log-notice', subject, { problem: what, means });
}

/** What a leaf holds of hashes that are held to something else: the leaf before it, a row. */
export function* hashesIn(leaf: Uint8Array): Generator<Buffer> {
  const text = Buffer.from(leaf.buffer, leaf.byteOffset, leaf.length).toString('latin1');
  for (const [, hash = ''] of text.matchAll(/"(?:p|csr|spki|cert)":"([0-9a-f]{64})"/g))
    yield Buffer.from(hash, 'hex');
}

function parsed(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const leaf: unknown = JSON.parse(Buffer.from(bytes).toString());
    return typeof leaf === 'object' && leaf !== null ? { ...leaf } : undefined;
  } catch {
    return undefined; // said of it elsewhere
  }
}
