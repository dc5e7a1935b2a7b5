import { readFile } from 'node:fs/promises';
import type { Board, DeviceId } from '../device.ts';
import { LinesideError } from '../errors.ts';
import { encodeCredentialsPage } from '../factory-data/credentials-page.ts';
import {
  decodeIdentityHead,
  encodeIdentityPage,
  identityPageHeadLength,
} from '../factory-data/identity-page.ts';
import { FactoryDataError } from '../factory-data/refusal.ts';
import { makeKeyPair } from '../keygen/key-pair.ts';
import { SecretArena } from '../secret.ts';
import { chipNamed } from '../swd/chips.ts';
import { connect, type Target } from '../swd/connect.ts';
import { writeCredentialsPage } from '../swd/credentials-writer.ts';
import { withdrawIdentityPage, writeIdentityPage } from '../swd/identity-writer.ts';
import { eraseEverything, lockDebugPort } from '../swd/lock.ts';
import { parseProbe } from '../swd/probe.ts';
import { eraseFactoryPages, haltCore, programFirmware, startFirmware } from '../swd/program.ts';
import { readPublic, readUid } from '../swd/read.ts';
import type { BoardCredentials, Reply, Request } from './messages.ts';

/** More than the identity page needs; what it does not need stays zero. */
const pageRoom = 256;

/** What the process holds between two requests. The arena is all it knows of the key. */
export class Unit {
  readonly #arena = new SecretArena();
  #page: Uint8Array | undefined;
  #target: Target | undefined;
  #uid = '';
  #keySent = false;
  /** pkijs takes longer to load than OpenOCD to connect: loaded meanwhile. */
  readonly #csr = import('../csr/request.ts');

  async perform(request: Request): Promise<Reply> {
    switch (request.do) {
      case 'examine':
        return { kind: 'board', board: await this.#examine(request.chip, request.probe) };
      case 'recover':
        return { kind: 'board', board: await this.#recover(request.chip, request.probe) };
      case 'make-key':
        return { kind: 'csr', csr: await this.#makeKey(request.id) };
      case 'program':
        await this.#program(request.firmware);
        return { kind: 'done' };
      case 'write-identity':
        await this.#writeIdentity();
        return { kind: 'done' };
      case 'write-credentials':
        await this.#writeCredentials(request.credentials);
        return { kind: 'done' };
      case 'lock':
        await lockDebugPort(this.#connected());
        return { kind: 'done' };
      case 'start':
        await startFirmware(this.#connected());
        return { kind: 'done' };
    }
  }

  /** Wipes the key and lets go of the board. */
  async end(): Promise<void> {
    this.#wipe();
    await this.#target?.openocd.close();
    this.#target = undefined;
  }

  /** After a failure: takes back what was written of the key, if the board lets it, and ends. */
  async abandon(): Promise<void> {
    this.#wipe();
    if (this.#keySent && this.#target) await withdrawIdentityPage(this.#target).catch(() => {});
    await this.end();
  }

  async #examine(chip: string, probe: string): Promise<Board> {
    await refuseCoreDumps();
    await this.#target?.openocd.close();
    this.#target = await connect(parseProbe(probe), chipNamed(chip));
    if (this.#target.locked) throw new LinesideError('target-locked', { probe: this.#target.probe.name });
    // The head ends where the private key begins: no key is ever read back as text.
    const head = await readPublic(this.#target, this.#target.chip.identityPage, identityPageHeadLength);
    this.#uid = await readUid(this.#target);
    return { uid: this.#uid, page: decodeIdentityHead(head) };
  }

  async #recover(chip: string, probe: string): Promise<Board> {
    this.#target = await connect(parseProbe(probe), chipNamed(chip));
    await eraseEverything(this.#target);
    return this.#examine(chip, probe); // a fresh connection proves that the erase took
  }

  async #makeKey(id: DeviceId): Promise<string> {
    if (this.#page) throw new Error('a key was made already');
    await refuseCoreDumps();
    const { createCsr } = await this.#csr;
    const pair = makeKeyPair(this.#arena);
    const csr = await createCsr(id, pair.publicKey, pair.sign);
    const room = this.#arena.take(pageRoom);
    this.#page = room.subarray(0, encodeIdentityPage(room, id, pair.publicKey, pair.privateKey));
    return Buffer.from(csr).toString('base64');
  }

  async #program(firmware: string | null): Promise<void> {
    const target = this.#connected();
    await haltCore(target);
    await eraseFactoryPages(target);
    if (firmware !== null) await programFirmware(target, firmware);
  }

  async #writeIdentity(): Promise<void> {
    if (!this.#page) throw new Error('no key was made');
    const target = this.#connected();
    try {
      await this.#mustBeSameChip(target);
      this.#keySent = true;
      await writeIdentityPage(target, this.#page, this.#arena);
    } finally {
      this.#wipe();
    }
  }

  async #writeCredentials(credentials: BoardCredentials): Promise<void> {
    const page = encode(credentials); // before the old page is erased
    const target = this.#connected();
    await haltCore(target);
    await this.#mustBeSameChip(target);
    await writeCredentialsPage(target, page);
  }

  /** What is written belongs to one chip; firmware may have taken minutes since it was read, and hands are quick. */
  async #mustBeSameChip(target: Target): Promise<void> {
    if ((await readUid(target)) !== this.#uid)
      throw new LinesideError('board-changed', { probe: target.probe.name });
  }

  #connected(): Target {
    if (!this.#target) throw new Error('no board was examined');
    return this.#target;
  }

  /** Overwrites what we hold, then has the collector free what OpenSSL's objects hold (they cleanse when freed). */
  #wipe(): void {
    this.#arena.wipe();
    this.#page = undefined;
    globalThis.gc?.();
  }
}

/** @throws LinesideError `credentials-refused` */
function encode({ generation, brokerNames, firmwareKey, ...certificates }: BoardCredentials): Uint8Array {
  try {
    return encodeCredentialsPage({
      generation,
      certificate: Buffer.from(certificates.certificate, 'base64'),
      intermediates: certificates.intermediates.map((der) => Buffer.from(der, 'base64')),
      trustAnchors: certificates.trustAnchors.map((der) => Buffer.from(der, 'base64')),
      brokerNames,
      firmwareKey: firmwareKey === null ? undefined : Buffer.from(firmwareKey, 'hex'),
    });
  } catch (cause) {
    if (!(cause instanceof FactoryDataError)) throw cause;
    throw new LinesideError('credentials-refused', { reason: cause.rule }, { cause });
  }
}

/** The kernel writes a core file of a process that has a limit above 0: with the key in it, on a disk. */
async function refuseCoreDumps(): Promise<void> {
  const limits = await readFile('/proc/self/limits', 'latin1');
  if (!/^Max core file size +0 +0 /m.test(limits)) throw new LinesideError('core-dumps-enabled');
}
