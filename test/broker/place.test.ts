import { expect, test } from 'vitest';
import { parseListen, parsePrefix, parseUser } from '../../src/broker/place.ts';

/* What is parsed here goes into the broker's configuration as it is: one line of it, and a path in a shell. */

test.each([
  ['8883', { address: null, port: 8883 }],
  ['192.0.2.1:65535', { address: '192.0.2.1', port: 65_535 }],
  ['[2001:db8::1]:1', { address: '2001:db8::1', port: 1 }],
])('a broker can listen at %s', (text, place) => {
  expect(parseListen(text)).toEqual(place);
});

test.each([
  '',
  '0',
  '65536',
  '08883',
  '8883 0.0.0.0',
  '8883\nallow_anonymous true',
  ':8883',
  '192.0.2.1',
  '192.0.2:8883',
  '[192.0.2.1]:8883',
  '2001:db8::1:8883',
  '[]:8883',
  'localhost:8883',
])('a broker cannot listen at %j', (text) => {
  expect(() => parseListen(text)).toThrow(/is not where a broker can listen/);
});

test.each(['/lineside', '/etc/mosquitto/lineside', '/srv/mqtt_1/line-side.d'])('%s is a prefix', (text) => {
  expect(parsePrefix(text)).toBe(text);
});

test.each([
  '',
  '/',
  'etc',
  './etc',
  '/etc/',
  '/etc//x',
  '/etc/../x',
  '/etc/./x',
  '/etc/..',
  '/etc/line side',
  '/etc/$HOME',
  '/etc/x;y',
  '/etc/x\nuser root',
  '/etc/ä',
])('%j is no prefix', (text) => {
  expect(() => parsePrefix(text)).toThrow(/is not a path on the broker/);
});

test('a user is a name and nothing more', () => {
  expect(parseUser('_mosquitto-1')).toBe('_mosquitto-1');
  for (const text of ['', 'Root', '1st', 'mosquitto root', 'a\nuser root', 'a'.repeat(33)])
    expect(() => parseUser(text)).toThrow(/is not the name of a user/);
});
