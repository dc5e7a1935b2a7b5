import { expect, test } from 'vitest';
import { logSigner, logVerifier, signCheckpoint } from '../../src/log/checkpoint.ts';
import { formatProof, openProof, parseProof } from '../../src/log/tlog-proof.ts';
import { makeSigner } from '../../src/note.ts';
import { auditPath, treeHash } from '../support/rfc6962.ts';

const station = makeSigner('st07');
const log = logVerifier(station.verifier, 1);
const leaves = Array.from({ length: 11 }, (_, n) => Buffer.from(`{"n":${n}}`));
const root = treeHash(leaves);
const checkpoint = signCheckpoint({ origin: log.name, size: 11, root }, logSigner(station, 1));
const leaf = Buffer.from('{"n":5}');
const proof = { leaf, index: 5, path: auditPath(5, leaves), checkpoint };
const malformed = expect.objectContaining({ name: 'NoteError', rule: 'malformed' });

test('a proof has the form of the specification', () => {
  const lines = formatProof(proof).split('\n');
  expect(lines.slice(0, 3)).toEqual([
    'c2sp.org/tlog-proof@v1',
    `extra ${leaf.toString('base64')}`,
    'index 5',
  ]);
  expect(lines.slice(3, 7)).toEqual(proof.path.map((hash) => hash.toString('base64')));
  expect(lines.slice(7, 10)).toEqual(['', 'lineside/st07/1', '11']);
  expect(parseProof(formatProof(proof))).toEqual(proof);
});

test('a proof shows its leaf to be in the log that signed the checkpoint', () => {
  expect(openProof(parseProof(formatProof(proof)), log)).toMatchObject({ size: 11, root });
});

test('of the only leaf of a log has an empty path', () => {
  const only = { size: 1, root: treeHash([leaf]), origin: log.name };
  const alone = { leaf, index: 0, path: [], checkpoint: signCheckpoint(only, logSigner(station, 1)) };
  expect(openProof(parseProof(formatProof(alone)), log)).toMatchObject({ size: 1 });
});

test.each([
  ['another leaf', { leaf: Buffer.from('{"n":6}') }],
  ['another index', { index: 6 }],
  ['another path', { path: auditPath(6, leaves) }],
  ['no path', { path: [] }],
])('with %s it shows nothing', (_, other) => {
  expect(openProof({ ...proof, ...other }, log)).toBeUndefined();
});

test('under a checkpoint that was not signed by the log it is refused', () => {
  expect(() => openProof(proof, logVerifier(makeSigner('st07').verifier, 1))).toThrow(
    'nobody who is trusted',
  );
});

test.each([
  ['nothing', () => ''],
  ['another header', (text: string) => text.replace('@v1', '@v2')],
  ['no leaf', (text: string) => text.replace(/extra .*\n/, '')],
  ['a leaf in base64url', (text: string) => text.replace(/extra .*/, 'extra ey_')],
  ['an index with a leading zero', (text: string) => text.replace('index 5', 'index 05')],
  ['an index below 0', (text: string) => text.replace('index 5', 'index -5')],
  ['an index that is none', (text: string) => text.replace('index 5', 'index five')],
  [
    'a hash of 31 bytes',
    (text: string) => text.replace(/index 5\n.*/, `index 5\n${Buffer.alloc(31).toString('base64')}`),
  ],
  [
    'a path longer than any',
    (text: string) =>
      text.replace('index 5\n', `index 5\n${`${Buffer.alloc(32).toString('base64')}\n`.repeat(60)}`),
  ],
  ['carriage returns', (text: string) => text.replaceAll('\n', '\r\n')],
])('what is no proof is refused: %s', (_, harm) => {
  expect(() => parseProof(harm(formatProof(proof)))).toThrow(malformed);
});
