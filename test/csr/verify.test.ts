import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csrRules, verifyCsr } from '../../src/csr/verify.ts';
import { LinesideError } from '../../src/errors.ts';
import { assemble, badRequests, goodParts } from './bad-requests.ts';

describe('a request is refused by the name of the rule it breaks', () => {
  test.each(badRequests)('%s: %s', (rule, _name, der) => {
    expect(refusal(der())).toBe(rule);
  });

  test('and every rule has a request that breaks it', () => {
    expect(new Set(badRequests.map(([rule]) => rule))).toEqual(new Set(Object.keys(csrRules)));
  });
});

test('a good request, made by an encoder that is not ours, is accepted with its id and key', () => {
  const parts = goodParts('0000A001');
  const der = assemble(parts);
  const spkiSha256 = createHash('sha256').update(parts.publicKeyInfo).digest('hex');
  expect(verifyCsr(der)).toMatchObject({ id: '0000A001', spkiSha256 });
  expect(Buffer.from(verifyCsr(der).publicKey)).toEqual(parts.publicKeyInfo.subarray(-65));
});

test('openssl and GnuTLS accept what is accepted', () => {
  const input = assemble(goodParts());
  const openssl = execFileSync('openssl', ['req', '-inform', 'der', '-verify', '-noout', '-subject'], {
    input,
    stdio: 'pipe',
  });
  expect(openssl.toString()).toContain('CN = ABCD1234, serialNumber = ABCD1234');
  const gnutls = execFileSync('certtool', ['--crq-info', '--inder'], { input, stdio: 'pipe' });
  expect(gnutls.toString()).toContain('serialNumber=ABCD1234,CN=ABCD1234');
});

test('no single changed bit is accepted', () => {
  const der = assemble(goodParts());
  for (let bit = 0; bit < der.length * 8; bit += 1) {
    const changed = Buffer.from(der);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(refusal(changed), `bit ${bit}`).toBeDefined();
  }
});

test('no input crashes it: any bytes are refused with a rule', () => {
  const good = assemble(goodParts());
  const mutated = fc.tuple(fc.nat(good.length - 1), fc.uint8Array({ maxLength: 8 })).map(([at, bytes]) => {
    return Buffer.concat([good.subarray(0, at), bytes, good.subarray(at + bytes.length)]);
  });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 1100 }), mutated), (bytes) => {
      expect(Buffer.from(bytes).equals(good) || refusal(bytes) !== undefined).toBe(true);
    }),
    { numRuns: 5000 },
  );
});

/** The rule that refuses it; undefined if it is accepted. Throws for any error that is not a refusal. */
function refusal(der: Uint8Array): unknown {
  try {
    verifyCsr(der);
    return undefined;
  } catch (error) {
    if (error instanceof LinesideError && error.code === 'csr-refused') return error.facts['name'];
    throw error;
  }
}
