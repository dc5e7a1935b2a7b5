import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatPem, parsePem } from '../src/pem.ts';

const label = 'CERTIFICATE';
const der = Buffer.from('0123456789'.repeat(10));
const block = formatPem(label, der);

describe('PEM', () => {
  test('is what openssl writes', () => {
    const made = execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519']).toString();
    const [contents] = parsePem('PRIVATE KEY', made) ?? [];
    expect(formatPem('PRIVATE KEY', contents ?? Buffer.of())).toBe(made);
  });

  test('of any contents, one after the other, reads back as they were', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1 })), (all) => {
        const read = parsePem(label, all.map((each) => formatPem(label, each)).join(''));
        expect(read?.map((each) => new Uint8Array(each))).toEqual(all);
      }),
    );
  });

  test.each([
    ['of another label', formatPem('CERTIFICATE REQUEST', der)],
    ['with words before it', `Certificate:\n${block}`],
    ['with words between', `${block}more\n${block}`],
    ['with words after it', `${block}more`],
    ['with an empty line', `${block}\n`],
    ['with other line ends', block.replaceAll('\n', '\r\n')],
    ['with longer lines', block.replace(/(.{64})\n/, '$1')],
    ['with nothing in it', formatPem(label, Buffer.of())],
    ['cut short', block.slice(0, -1)],
    ['with a character of no meaning', block.replace('M', '*')],
  ])('%s is refused', (_, text) => {
    expect(parsePem(label, text)).toBeUndefined();
    expect(parsePem(label, block)).toHaveLength(1); // control
  });
});
