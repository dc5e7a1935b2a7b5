import { describe, expect, test } from 'vitest';
import * as messages from '../../src/unit/messages.ts';

const parseReply = (body: unknown) => messages.parseReply(1, { n: 1, body });
const parseRequest = (body: unknown) => messages.parseRequest({ n: 1, body }).body;

const scalar = Buffer.alloc(32, 0xab);
const forms = [scalar.toString('hex'), scalar.toString('base64'), scalar.toString('base64url')];

describe('the channel between station and unit process has no room for a private key', () => {
  test.each(forms)('%s in the facts of a failure', (key) => {
    const reply = (reason: string) => ({ kind: 'failed', code: 'internal', facts: { reason } });
    expect(() => parseReply(reply(key))).toThrow();
    expect(parseReply(reply('TypeError in the unit process'))).toBeDefined(); // control: the shape is right
  });

  test.each(forms)('%s in pieces, under names of its own or as numbers', (key) => {
    const reply = (facts: object) => ({ kind: 'failed', code: 'internal', facts });
    expect(() => parseReply(reply({ a: key.slice(0, 20), b: key.slice(20, 40) }))).toThrow();
    expect(() => parseReply(reply({ address: key.slice(0, 10) }))).toThrow();
  });

  test.each(forms)('%s as an extra field, or under an extra name', (key) => {
    expect(parseReply({ kind: 'done' })).toEqual({ kind: 'done' });
    expect(() => parseReply({ kind: 'done', key })).toThrow();
    expect(() => parseReply({ kind: 'key', key })).toThrow();
  });

  test.each(forms)('%s as a public key, a uid or an id', (key) => {
    const board = (uid: string, publicKey: string, id: string) => ({
      kind: 'board',
      board: { uid, page: { kind: 'identity', id, publicKey } },
    });
    const [uid, point, id] = ['0123456789ABCDEF', `04${'0a'.repeat(64)}`, 'ABCD1234'];
    expect(parseReply(board(uid, point, id))).toBeDefined();
    for (const bad of [board(key, point, id), board(uid, key, id), board(uid, point, key)]) {
      expect(() => parseReply(bad)).toThrow();
    }
  });
});

const credentials = {
  generation: 1,
  certificate: 'MAA=',
  intermediates: [],
  trustAnchors: ['MAA='],
  brokerNames: ['broker.example'],
  firmwareKey: null,
};

test('credentials of the right shape are a request, so that those below are refused for what is wrong', () => {
  const request = { do: 'write-credentials', credentials };
  expect(parseRequest(request)).toEqual(request);
});

test.each([
  null,
  'examine',
  { do: 'dump' },
  { do: 'make-key', id: 'abcd1234' },
  { do: 'program', firmware: '/etc/passwd' },
  { do: 'program', firmware: '/proc/1/fd/3; exit' },
  { do: 'write-identity', extra: 1 },
  { do: 'write-credentials' },
  { do: 'write-credentials', credentials: { ...credentials, privateKey: 'AAAA' } },
  { do: 'write-credentials', credentials: { ...credentials, certificate: '' } },
  { do: 'write-credentials', credentials: { ...credentials, certificate: 'not base64' } },
  { do: 'write-credentials', credentials: { ...credentials, generation: 0 } },
  { do: 'write-credentials', credentials: { ...credentials, brokerNames: ['two words'] } },
  { do: 'write-credentials', credentials: { ...credentials, firmwareKey: '04' } },
])('%j is no request', (message) => {
  expect(() => parseRequest(message)).toThrow();
});

test('a reply counts only for the request it answers', () => {
  const late = { n: 1, body: { kind: 'done' } };
  expect(messages.parseReply(1, late)).toEqual({ kind: 'done' });
  expect(() => messages.parseReply(2, late)).toThrow();
});
