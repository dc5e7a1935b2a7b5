import { createPrivateKey, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  formatCheckpoint,
  logOrigin,
  logSigner,
  logVerifier,
  openCheckpoint,
  parseCheckpoint,
  parseOrigin,
  signCheckpoint,
} from '../../src/log/checkpoint.ts';
import { cosign, cosignaturesOn, witnessVerifier } from '../../src/log/cosignature.ts';
import {
  addSignature,
  formatPrivateKey,
  makeSigner,
  openNote,
  readVerifier,
  signNote,
} from '../../src/note.ts';

const station = makeSigner('st07');
const log = logVerifier(readVerifier(station.verifier.line), 1);
const root = Buffer.alloc(32, 7);
const checkpoint = { origin: 'lineside/st07/1', size: 20852163, root };
const note = signCheckpoint(checkpoint, logSigner(station, 1));
const bytes = (text: string) => Buffer.from(text);
const rule = (name: string) => expect.objectContaining({ name: 'NoteError', rule: name });

describe('a checkpoint', () => {
  test('of the specification is read and written as it is there', () => {
    const text = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n';
    const example = parseCheckpoint(text);
    expect(example).toMatchObject({ origin: 'example.com/behind-the-sofa', size: 20852163 });
    expect(formatCheckpoint(example)).toBe(text);
  });

  test.each([
    ['', 'nothing'],
    ['\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n', 'no origin'],
    ['a\n01\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n', 'a leading zero'],
    ['a\n+1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n', 'a sign'],
    ['a\n-1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n', 'a size below 0'],
    ['a\n1.5\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n', 'half a leaf'],
    ['a\n1e3\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n', 'another way to write a number'],
    ['a\n9007199254740993\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n', 'a size that is not exact'],
    ['a\n\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n', 'no size'],
    ['a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I\n', 'a root without padding'],
    ['a\n1\nCsUYapGGPo4dkMgIAUqom_Xajj7h2fB2MPA3j2jxq2I=\n', 'a root in base64url'],
    ['a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n', 'bits after the end of the root'],
    ['a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxqw==\n', 'a root of 31 bytes'],
    ['a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=', 'no newline at the end'],
    ['a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\nmore\n', 'an extension line'],
    ['a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n', 'an empty line'],
    ['a\r\n1\r\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\r\n', 'carriage returns'],
  ])('has one form, and not %j: %s', (text) => {
    expect(() => parseCheckpoint(text)).toThrow(rule('malformed'));
  });

  test('is opened with what anybody derives from the verifier key of the station', () => {
    expect(openCheckpoint(bytes(note), log)).toMatchObject(checkpoint);
    expect(log.name).toBe('lineside/st07/1');
  });

  test('is signed with a key that has the name of the log, and no other', () => {
    expect(() => signCheckpoint(checkpoint, station)).toThrow(rule('name'));
    expect(() => signCheckpoint(checkpoint, logSigner(station, 2))).toThrow(rule('name'));
  });

  test.each([
    ['another epoch', () => logVerifier(station.verifier, 2), 'unknown-signer'],
    ['another station', () => logVerifier(makeSigner('st08').verifier, 1), 'unknown-signer'],
    ['another key of this name', () => logVerifier(makeSigner('st07').verifier, 1), 'unknown-signer'],
    ['the station itself', () => station.verifier, 'unknown-signer'],
  ])('is not that of %s', (_, verifier, refusal) => {
    expect(() => openCheckpoint(bytes(note), verifier())).toThrow(rule(refusal));
  });

  test('that was changed is refused', () => {
    for (const changed of [note.replace('20852163', '20852162'), note.replace('st07/1\n', 'st07/2\n')])
      expect(() => openCheckpoint(bytes(changed), log)).toThrow(rule('signature'));
  });

  test('of another log, signed by a key of this one, is refused', () => {
    const other = signNote(
      formatCheckpoint({ ...checkpoint, origin: 'lineside/st08/1' }),
      logSigner(station, 1),
    );
    expect(() => openCheckpoint(bytes(other), log)).toThrow(rule('name'));
  });

  test('is no batch, and a batch is no checkpoint, though one key signs both', () => {
    const batch = signNote('lineside batch v1\n00\n', station);
    expect(() => openCheckpoint(bytes(batch), log)).toThrow(rule('unknown-signer'));
    expect(() => openNote(bytes(note), [station.verifier])).toThrow(rule('unknown-signer'));
    expect(log.hash).not.toBe(station.verifier.hash);
  });
});

describe('an origin', () => {
  test('names station and epoch', () => {
    expect(logOrigin('st07', 12)).toBe('lineside/st07/12');
    expect(parseOrigin('lineside/st07/12')).toEqual({ station: 'st07', epoch: 12 });
  });

  test.each([
    'lineside/st07/0',
    'lineside/st07/01',
    'lineside/st07',
    'lineside/st07/1/2',
    'lineside//1',
    'lineside/ST07/1',
    'lineside/st07/1\n',
    'sideline/st07/1',
    'lineside batch v1',
  ])('is not %j', (origin) => {
    expect(parseOrigin(origin)).toBeUndefined();
  });
});

describe('a cosignature', () => {
  const witness = makeSigner('acme-ca');
  const known = witnessVerifier(readVerifier(witness.verifier.line));
  const time = new Date('2026-11-23T09:14:02.999Z');
  const cosigned = cosign(note, log, witness, time);

  test('says who has seen the checkpoint and when, beside the signature of the log', () => {
    const opened = openCheckpoint(bytes(cosigned), log, [known]);
    expect(cosignaturesOn(opened)).toEqual([{ witness: known, time: new Date('2026-11-23T09:14:02Z') }]);
    expect(opened).toMatchObject(checkpoint);
    expect(cosignaturesOn(openCheckpoint(bytes(note), log, [known]))).toEqual([]);
    expect(cosigned.startsWith(note)).toBe(true);
  });

  test('is byte for byte what the specification says', () => {
    const seconds = Math.floor(time.getTime() / 1000);
    const stamp = Buffer.concat([
      Buffer.alloc(4),
      Buffer.from([24, 16, 8, 0].map((shift) => seconds >>> shift)),
    ]);
    const key = createPrivateKey(formatPrivateKey(witness));
    const message = `cosignature/v1\ntime ${seconds}\n${formatCheckpoint(checkpoint)}`;
    const expected = Buffer.concat([Buffer.from(known.hash, 'hex'), stamp, sign(null, bytes(message), key)]);
    expect(cosigned).toBe(`${note}— acme-ca ${expected.toString('base64')}\n`);
  });

  test('has a key of its own type: the same key as a plain one is another signer', () => {
    expect(known.hash).not.toBe(witness.verifier.hash);
    expect(Buffer.from(known.line.slice(-44), 'base64')[0]).toBe(0x04);
    expect(cosignaturesOn(openCheckpoint(bytes(cosigned), log, [witness.verifier]))).toEqual([]);
  });

  test('by several witnesses is counted by name', () => {
    const second = makeSigner('qa');
    const twice = cosign(cosigned, log, second, time);
    const opened = openCheckpoint(bytes(twice), log, [known, witnessVerifier(second.verifier)]);
    expect(cosignaturesOn(opened).map(({ witness }) => witness.name)).toEqual(['acme-ca', 'qa']);
  });

  test.each([
    ['its time changed', (line: Buffer) => line.writeUInt8(line.readUInt8(11) ^ 1, 11)],
    ['its signature changed', (line: Buffer) => line.writeUInt8(line.readUInt8(40) ^ 1, 40)],
  ])('with %s refuses the whole note', (_, harm) => {
    const line = Buffer.from(cosigned.trimEnd().split(' ').at(-1) ?? '', 'base64');
    harm(line);
    const harmed = `${note}— acme-ca ${line.toString('base64')}\n`;
    expect(() => openCheckpoint(bytes(harmed), log, [known])).toThrow(rule('signature'));
  });

  test.each([
    [2n ** 63n - 1n, true],
    [2n ** 63n, false],
  ])('may say a time of at most 2^63 - 1: %d', (seconds, holds) => {
    const stamp = Buffer.alloc(8);
    stamp.writeBigUInt64BE(seconds);
    const message = `cosignature/v1\ntime ${seconds}\n${formatCheckpoint(checkpoint)}`;
    const line = Buffer.concat([
      stamp,
      sign(null, bytes(message), createPrivateKey(formatPrivateKey(witness))),
    ]);
    const open = () => openCheckpoint(bytes(addSignature(note, known, line)), log, [known]);
    if (holds) expect(open()).toMatchObject(checkpoint);
    else expect(open).toThrow(rule('signature'));
  });

  test('cut short refuses the whole note', () => {
    const short = addSignature(note, known, Buffer.alloc(71));
    expect(() => openCheckpoint(bytes(short), log, [known])).toThrow(rule('signature'));
  });

  test('alone does not make a checkpoint: the log has to have signed it', () => {
    const line = cosigned.slice(note.length);
    const unsigned = `${formatCheckpoint(checkpoint)}\n${line}`;
    expect(() => openCheckpoint(bytes(unsigned), log, [known])).toThrow(rule('unknown-signer'));
  });

  test('is given to nothing that the log has not signed', () => {
    const other = signCheckpoint(checkpoint, logSigner(makeSigner('st07'), 1));
    expect(() => cosign(other, log, witness, time)).toThrow(rule('unknown-signer'));
    expect(() => cosign(note.replace('20852163', '1'), log, witness, time)).toThrow(rule('signature'));
  });
});
