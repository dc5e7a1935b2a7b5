import { execFileSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { openNote } from '../src/note.ts';
import { witnessVerifier } from '../src/log/cosignature.ts';
import { makeSigner } from '../src/note.ts';
import { revoke } from '../src/authority.ts';
import { atWork, type AtWork } from './ca/temporary-ca.ts';
import { assemble, badRequests, goodParts } from './csr/bad-requests.ts';
import { scratch } from './support/program.ts';
import {
  answered,
  checkpointOf,
  type Change,
  type Sender,
  submit,
  trustedSender,
} from './support/submitted.ts';

/*
 * What the CA answers, and what it refuses: of a batch in which one thing is wrong it signs nothing, and its ledger
 * stays as it was.
 */

let ca: AtWork;
let sender: Sender;
let workshop: string;

beforeEach(async () => {
  ca = await atWork();
  sender = await trustedSender(ca.authority);
  workshop = await scratch();
});

const request = (id: string) => assemble(goodParts(id));
const answer = (path: string, name = 'answer') => answered(ca.authority, path, join(workshop, name), ca.by);

/** All rows of the ledger. */
async function ledger(): Promise<unknown> {
  const { ledger: connection } = ca.authority;
  const tables = ['device', 'certificate', 'batch', 'batch_certificate', 'batch_file', 'witness'];
  return Promise.all(tables.map((table) => connection.query(`SELECT * FROM ${table}`)));
}

async function expectRefusal(path: string, refusal: object): Promise<void> {
  const before = await ledger();
  await expect(answer(path, 'refused')).rejects.toMatchObject(refusal);
  expect(await ledger()).toEqual(before);
  expect(await readdir(workshop)).not.toContain('refused');
}

describe('a batch of requests', () => {
  test('is answered with a certificate for each, in their order, on record before it is written', async () => {
    const requests = ['00000001', '00000002', '0000000A'].map(request);
    const signed = await answer(await submit(sender, workshop, requests));
    expect(signed).toMatchObject({ result: 'signed', station: 'st07', sequence: 1, certificates: 3 });
    expect(signed.submission).toMatchObject({ requests: 3, first: '00000001', last: '0000000A', absent: 7 });
    const pem = await readFile(join(workshop, 'answer', 'certificates.pem'), 'utf8');
    const subjects = pem
      .match(/-----BEGIN[^]*?-----END[^\n]*\n/g)
      ?.map((one) =>
        execFileSync('openssl', ['x509', '-noout', '-subject'], { input: one }).toString().trim(),
      );
    expect(subjects).toEqual(
      ['00000001', '00000002', '0000000A'].map((id) => `subject=CN = ${id}, serialNumber = ${id}`),
    );
  });

  test('is answered with the very same bytes when it comes again, whatever was revoked since', async () => {
    const path = await submit(sender, workshop, [request('00000001'), request('00000002')]);
    await answer(path);
    await revoke(ca.authority, '00000001', 'superseded', ca.by);
    const again = await answer(path, 'again');
    expect(again).toMatchObject({ result: 'again', certificates: 2, submission: { log: null, already: 2 } });
    for (const name of await readdir(join(workshop, 'answer')))
      expect(await readFile(join(workshop, 'again', name))).toEqual(
        await readFile(join(workshop, 'answer', name)),
      );
  });

  test('with requests that were answered before brings the certificates they got', async () => {
    const first = request('00000001');
    await answer(await submit(sender, workshop, [first]));
    const second = await answer(await submit(sender, workshop, [first, request('00000002')]), 'second');
    expect(second).toMatchObject({ sequence: 2, certificates: 2, submission: { already: 1 } });
    const [one, two] = await Promise.all(
      ['answer', 'second'].map((name) => readFile(join(workshop, name, 'certificates.pem'), 'utf8')),
    );
    expect(two?.startsWith(one ?? '-')).toBe(true);
  });

  test('that the officer does not agree to is as if it had never come', async () => {
    const path = await submit(sender, workshop, [request('00000001')]);
    const before = await ledger();
    const { signBatch } = await import('../src/sign-batch.ts');
    const no = { consent: () => Promise.reject(new Error('no')), progress: () => {} };
    await expect(signBatch(ca.authority, path, join(workshop, 'no'), ca.by, no)).rejects.toThrow('no');
    expect(await ledger()).toEqual(before);
    expect(await answer(path)).toMatchObject({ result: 'signed' }); // control
  });
});

describe('of a batch with one bad request the CA signs nothing:', () => {
  // no bytes at all are no block of PEM
  const asBlocks = badRequests.filter(([, what]) => what !== 'empty');
  test.each(asBlocks)('%s, %s', async (name, _, make) => {
    const path = await submit(sender, workshop, [request('00000001'), make()]);
    await expectRefusal(path, { code: 'request-refused', exit: 8, facts: { name, place: 2 } });
  });

  const policies: Record<string, [() => Promise<readonly Uint8Array[]>, object]> = {
    'an id outside the lease': [
      async () => [request('00000001')],
      { code: 'id-not-leased', facts: { id: '00000001' } },
    ],
    'a second key for an id': [
      async () => [request('00000011'), request('00000011')],
      { code: 'id-has-other-key', facts: { id: '00000011' } },
    ],
    'a second id for a key': [
      async () => {
        const parts = goodParts('00000011');
        return [assemble(parts), assemble({ ...parts, subject: goodParts('00000012').subject })];
      },
      { code: 'key-has-other-id', facts: { id: '00000012' } },
    ],
    'another request for the key of a device': [
      async () => {
        const parts = goodParts('00000011');
        return [assemble(parts), assemble(parts)];
      },
      { code: 'request-changed', facts: { id: '00000011' } },
    ],
    'a device that was revoked': [
      async () => {
        const revoked = request('00000011');
        await ca.issue(revoked);
        await revoke(ca.authority, '00000011', 'keyCompromise', ca.by);
        return [revoked];
      },
      { code: 'device-revoked', facts: { id: '00000011' } },
    ],
    'ids that go back': [
      async () => [request('00000012'), request('00000011')],
      { code: 'batch-refused', facts: { name: 'order' } },
    ],
    'nothing in it': [async () => [], { code: 'batch-refused', facts: { name: 'empty' } }],
  };
  test.each(Object.entries(policies))('%s', async (_, [make, refusal]) => {
    ca = await atWork();
    sender = await trustedSender(ca.authority, '00000010-0000001F');
    await expectRefusal(await submit(sender, workshop, await make()), refusal);
    sender.last = { sequence: 0, sha256: '0'.repeat(64), size: 0 };
    expect(await answer(await submit(sender, workshop, [request('00000013')]))).toMatchObject({
      certificates: 1,
    });
  });
});

describe('a batch is refused', () => {
  const good = () => [request('00000001')];
  const leaves = (...words: string[]) => words.map((word) => Buffer.from(word));
  const bad: Record<string, [() => Change, object]> = {
    'from a station nobody knows': [
      () => ({ signer: makeSigner('st07') }),
      { facts: { name: 'unknown-signer' } },
    ],
    'in the name of another station': [
      () => ({ header: { station: 'st08' } }),
      { facts: { name: 'station' } },
    ],
    'for another CA': [() => ({ header: { authority: 'Acme+00000000' } }), { facts: { name: 'authority' } }],
    'after one that is missing': [() => ({ header: { sequence: 2 } }), { facts: { name: 'gap' } }],
    'that follows another one': [
      () => ({ header: { previous: 'a'.repeat(64) } }),
      { code: 'batch-tampered', facts: { name: 'previous' } },
    ],
    'with words between its requests': [() => ({ requests: 'hello\n' }), { facts: { name: 'pem' } }],
    'with a checkpoint that another key has signed': [
      () => ({ checkpoint: checkpointOf(makeSigner('st07'), leaves('a')) }),
      { code: 'batch-tampered', facts: { name: 'checkpoint' } },
    ],
    'with the checkpoint of another log': [
      () => ({ checkpoint: checkpointOf(makeSigner('st08'), leaves('a')) }),
      { code: 'batch-tampered', facts: { name: 'checkpoint' } },
    ],
    'with a checkpoint that is none': [
      () => ({ checkpoint: 'lineside/st07/1\n' }),
      { code: 'batch-tampered', facts: { name: 'checkpoint' } },
    ],
    'with a proof where none is due': [
      () => ({ consistency: `${Buffer.alloc(32).toString('base64')}\n` }),
      { code: 'batch-tampered', facts: { name: 'log-rewritten' } },
    ],
  };
  test.each(Object.entries(bad))('%s', async (_, [change, refusal]) => {
    const path = await submit(sender, workshop, good(), change());
    await expectRefusal(path, { code: 'batch-refused', ...refusal });
  });

  test('if it is the answer of a CA', async () => {
    await answer(await submit(sender, workshop, good()));
    await expectRefusal(join(workshop, 'answer'), {
      code: 'batch-refused',
      facts: { name: 'unknown-signer' },
    });
  });

  test('if it was taken before, and later ones since', async () => {
    const first = await submit(sender, workshop, good());
    await answer(first);
    await answer(await submit(sender, workshop, [request('00000002')]), 'second');
    await expectRefusal(first, { code: 'batch-refused', facts: { name: 'replay' } });
  });

  test('if it is another under the number of the last', async () => {
    await answer(await submit(sender, workshop, good()));
    sender.last = { sequence: 0, sha256: '0'.repeat(64), size: 0 };
    const fork = await submit(sender, workshop, [request('00000002')]);
    await expectRefusal(fork, { code: 'batch-tampered', facts: { name: 'fork' } });
  });
});

describe('the log of a station', () => {
  const second = (change: Change) => submit(sender, workshop, [request('00000002')], change);
  const leaves = () => sender.log.map((leaf) => Buffer.from(leaf));

  beforeEach(async () => {
    sender.log.push('one', 'two', 'three');
    await answer(await submit(sender, workshop, [request('00000001')]));
  });

  test('that begins as it did is cosigned, with the time, by the key of the CA', async () => {
    const { submission } = await answer(await second({}), 'second');
    expect(submission).toMatchObject({ log: { epoch: 1, size: 6 }, logBefore: { epoch: 1, size: 5 } });
    const note = await readFile(join(workshop, 'second', 'checkpoint'));
    const text = openNote(note, [witnessVerifier(ca.authority.exchange)]);
    expect(text.split('\n').slice(0, 2)).toEqual(['lineside/st07/1', '6']);
    expect(note.toString().startsWith(checkpointOf(sender.key, leaves()))).toBe(true);
  });

  test('may go on in a new epoch, and the officer sees it', async () => {
    const log = [...leaves(), Buffer.from('batch 2')];
    const { submission } = await answer(
      await second({ checkpoint: checkpointOf(sender.key, log, 2) }),
      'second',
    );
    expect(submission).toMatchObject({ log: { epoch: 2 }, logBefore: { epoch: 1 } });
    const back = await submit(sender, workshop, [request('00000003')]);
    await expectRefusal(back, { code: 'batch-tampered', exit: 7, facts: { name: 'log-epoch' } });
  });

  const tampered: Record<string, [() => Change, string]> = {
    'cut short': [() => ({ checkpoint: checkpointOf(sender.key, leaves().slice(0, 3)) }), 'log-cut'],
    'changed in the first leaf': [
      () => ({ checkpoint: checkpointOf(sender.key, [Buffer.from('other'), ...leaves().slice(1)]) }),
      'log-rewritten',
    ],
    'changed in the last leaf that was seen': [
      () => ({
        checkpoint: checkpointOf(sender.key, [
          ...leaves().slice(0, 4),
          Buffer.from('other'),
          Buffer.from('x'),
        ]),
      }),
      'log-rewritten',
    ],
    'as long as before, and another': [
      () => ({
        checkpoint: checkpointOf(sender.key, [...leaves().slice(0, 4), Buffer.from('other')]),
        consistency: '',
      }),
      'log-rewritten',
    ],
    'without its proof': [() => ({ consistency: '' }), 'log-rewritten'],
    'with a proof in another form': [() => ({ consistency: 'QUJD' }), 'log-rewritten'],
  };
  test.each(Object.entries(tampered))('%s is refused', async (_, [change, name]) => {
    await expectRefusal(await second(change()), { code: 'batch-tampered', exit: 7, facts: { name } });
  });
});
