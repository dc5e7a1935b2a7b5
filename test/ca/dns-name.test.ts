import { expect, test } from 'vitest';
import { parseDnsName } from '../../src/ca/dns-name.ts';
import { parseAuthorityName } from '../../src/ca/name.ts';

test.each(['mqtt.example.com', 'localhost', 'a-1.b2.example', 'xn--bcher-kva.example'])(
  '%s is a host name',
  (name) => {
    expect(parseDnsName(name)).toBe(name);
  },
);

test.each([
  ['a wildcard', '*.example.com'],
  ['an address', '192.0.2.1'],
  ['an IPv6 address', '2001:db8::1'],
  ['upper case', 'MQTT.example.com'],
  ['a trailing dot', 'mqtt.example.com.'],
  ['empty', ''],
  ['an empty label', 'mqtt..example'],
  ['a label of 64', `${'a'.repeat(64)}.example`],
  ['over 253', `${'a.'.repeat(130)}example`],
  ['a hyphen first', '-a.example'],
  ['a NUL', 'mqtt.example.com\0.evil.example'],
  ['a URL', 'mqtts://mqtt.example.com'],
])('%s is refused as a host name', (_, name) => {
  expect(() => parseDnsName(name)).toThrow('is not a host name');
});

test.each(['Acme', 'Acme (Graz) GmbH', "O'Neill, 2026"])('"%s" may name a CA', (name) => {
  expect(parseAuthorityName(name)).toBe(name);
});

test.each(['', ' Acme', 'Acme ', 'Ümlaut', 'a@b', 'a&b', 'a*', 'A'.repeat(41), 'a\nb'])(
  '"%s" may not name a CA: it does not fit a PrintableString of 64 with a word after it',
  (name) => {
    expect(() => parseAuthorityName(name)).toThrow('cannot name a CA');
  },
);
