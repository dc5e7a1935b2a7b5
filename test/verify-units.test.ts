import { expect, test } from 'vitest';
import { verifyChain } from '../src/certificate.ts';
import { verifyCsr } from '../src/csr/verify.ts';
import { LinesideError } from '../src/errors.ts';
import { type UnitOnRecord, verifyUnits } from '../src/verify-units.ts';
import { goodUnit, makeCa } from './certificate/certificates.ts';

const ca = makeCa();
const chain = verifyChain([ca.der]);
const idAt = (at: number) => (at + 1).toString(16).toUpperCase().padStart(8, '0');
/** More than are begun at a time. */
const units: readonly UnitOnRecord[] = Array.from({ length: 300 }, (_, at) => goodUnit(ca, idAt(at)));

/** Changes the signature, which is the end of both. */
function broken(der: Uint8Array): Uint8Array {
  const changed = Buffer.from(der);
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  return changed;
}

test('each unit comes out in order with what its request and its certificate say', async () => {
  const expected = units.map(({ csr }) => ({ csr: verifyCsr(csr), serial: 'A1B2C3D4' }));
  expect(await verifyUnits(units, chain)).toEqual(expected);
});

test('a unit that is refused hides no other', async () => {
  const mixed = [...units];
  const [first, second, third] = units;
  if (!first || !second || !third) throw new Error('too few');
  mixed[0] = { ...first, csr: broken(first.csr) };
  mixed[1] = { ...second, certificate: broken(second.certificate) };
  mixed[2] = { ...third, certificate: second.certificate };
  mixed[280] = goodUnit(makeCa('Other CA'), idAt(280));
  const found = (await verifyUnits(mixed, chain)).map((unit) =>
    unit instanceof LinesideError ? `${unit.code} ${unit.facts['name']}` : unit.csr.id,
  );
  const expected = units.map((_, at) => idAt(at));
  expected[0] = 'csr-refused signature';
  expected[1] = 'certificate-refused issuer';
  expected[2] = 'certificate-refused subject';
  expected[280] = 'certificate-refused issuer';
  expect(found).toEqual(expected);
});

test('what is not a refusal is thrown', async () => {
  const bug = { csr: null as never, certificate: Buffer.alloc(0) };
  await expect(verifyUnits([...units.slice(0, 2), bug], chain)).rejects.toBeInstanceOf(TypeError);
});
