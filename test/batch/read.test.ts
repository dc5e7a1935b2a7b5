import { execFileSync } from 'node:child_process';
import {
  cp,
  link,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkBatch, readBatch } from '../../src/batch/read.ts';
import { makeSigner } from '../../src/note.ts';
import {
  authority,
  checkpoint,
  consistency,
  type Files,
  fields,
  good,
  onMedium,
  requests,
  sha256,
  signed,
  station,
  workshop,
} from './batches.ts';

/** Whoever reads and whoever only checks must come to the same. */
async function read(path: string, from = station) {
  const checked = checkBatch(path, [from.verifier]).catch((error: unknown) => error);
  const batch = await readBatch(path, [from.verifier]).catch(async (error: unknown) => {
    expect(await checked).toEqual(error);
    throw error;
  });
  expect(await checked).toBe(batch.sha256);
  return batch;
}
const refused = (name: string) => ({ code: 'batch-refused', exit: 8, facts: { name } });
const tampered = (name: string) => ({ code: 'batch-tampered', exit: 7, facts: { name } });

test('a batch that nobody touched is read, each file as it was signed', async () => {
  const batch = await read(await onMedium(good()));
  expect(batch.manifest).toEqual(fields);
  expect(batch.sha256).toBe(sha256(JSON.stringify(fields)));
  expect([...batch.payload].map(([name, bytes]) => [name, Buffer.from(bytes).toString()])).toEqual([
    ['checkpoint', checkpoint],
    ['consistency', consistency],
    ['requests.pem', requests],
  ]);
});

describe('a batch with one thing wrong is refused:', () => {
  const cases: Record<string, [harm: (directory: string) => unknown, refusal: object]> = {
    'a file more': [(at) => writeFile(join(at, 'autorun.inf'), ''), refused('unknown-file')],
    'a file of a known name that its manifest does not name': [
      (at) => writeFile(join(at, 'crl.pem'), ''),
      refused('unknown-file'),
    ],
    'a hidden file more': [(at) => writeFile(join(at, '.requests.pem'), ''), refused('unknown-file')],
    'a directory more': [(at) => mkdir(join(at, 'more')), refused('unknown-file')],
    'no manifest': [(at) => rm(join(at, 'manifest.json')), refused('missing-file')],
    'no signature': [(at) => rm(join(at, 'manifest.sig')), refused('missing-file')],
    'no payload': [(at) => rm(join(at, 'requests.pem')), refused('missing-file')],
    'a name in upper case': [
      (at) => rename(join(at, 'requests.pem'), join(at, 'REQUESTS.PEM')),
      refused('unknown-file'),
    ],
    'two names that differ in case': [
      (at) => writeFile(join(at, 'Manifest.json'), 'other'),
      refused('case-twins'),
    ],
    'a link for a file': [(at) => linked(at, 'requests.pem'), refused('not-regular')],
    'a link for the manifest': [(at) => linked(at, 'manifest.json'), refused('not-regular')],
    'a dangling link': [
      async (at) => {
        await rm(join(at, 'manifest.sig'));
        await symlink('nowhere', join(at, 'manifest.sig'));
      },
      refused('not-regular'),
    ],
    'a second name for a file': [
      (at) => link(join(at, 'requests.pem'), join(dirname(at), 'second')),
      refused('hard-link'),
    ],
    'a directory for a file': [
      async (at) => {
        await rm(join(at, 'requests.pem'));
        await mkdir(join(at, 'requests.pem'));
      },
      refused('not-regular'),
    ],
    'a pipe that would be waited for': [(at) => made(at, 'mkfifo', []), refused('not-regular')],
    'a device that never ends': [(at) => made(at, 'mknod', ['c', '1', '5']), refused('not-regular')],
    'a socket': [
      (at) =>
        made(
          at,
          'python3',
          ['-c', 'import socket,sys;socket.socket(socket.AF_UNIX).bind(sys.argv[1])'],
          'last',
        ),
      refused('not-regular'),
    ],
    'a byte more in a file': [
      (at) => writeFile(join(at, 'requests.pem'), `${requests}\n`),
      tampered('length'),
    ],
    'a byte other in a file': [
      (at) => writeFile(join(at, 'requests.pem'), requests.replace('QUJD', 'QUJE')),
      tampered('sha256'),
    ],
    'a file of ten GiB with nothing in it': [
      (at) => truncate(join(at, 'requests.pem'), 10 * 2 ** 30),
      refused('too-large'),
    ],
    'a manifest over 64 KiB': [(at) => truncate(join(at, 'manifest.json'), 65_537), refused('too-large')],
    'a signature over 16 KiB': [(at) => truncate(join(at, 'manifest.sig'), 16_385), refused('too-large')],
    'a signature that is no note': [
      (at) => writeFile(join(at, 'manifest.sig'), 'signed: me\n'),
      refused('seal'),
    ],
    'more than 16 files': [
      (at) => Promise.all(Array.from({ length: 14 }, (_, n) => writeFile(join(at, `${n}`), ''))),
      refused('too-many-files'),
    ],
  };

  test.each(Object.entries(cases))('%s', async (_, [harm, refusal]) => {
    const directory = await onMedium(good());
    expect(await read(directory)).toBeDefined(); // control
    await harm(directory);
    await expect(read(directory)).rejects.toMatchObject(refusal);
  });

  const forged: Record<string, [files: () => Files, refusal: object]> = {
    'signed by nobody known': [
      () => signed(JSON.stringify(fields), makeSigner('st07')),
      refused('unknown-signer'),
    ],
    'signed by the other side': [() => signed(JSON.stringify(fields), authority), refused('unknown-signer')],
    'signed in the name of the station by another key': [
      () => {
        const impostor = makeSigner('st07');
        return signed(JSON.stringify(fields), { ...impostor, verifier: station.verifier });
      },
      tampered('signature'),
    ],
    'with the manifest of another batch': [
      () => ({ ...good(), 'manifest.json': String(good({ sequence: 2 })['manifest.json']) }),
      tampered('other-manifest'),
    ],
    'with the signature of another batch': [
      () => ({ ...good(), 'manifest.sig': String(good({ sequence: 2 })['manifest.sig']) }),
      tampered('other-manifest'),
    ],
    'with the payload of another batch': [
      () => ({ ...good(), 'requests.pem': requests.replaceAll('QUJD', 'QUJE') }),
      tampered('sha256'),
    ],
    'with a signed manifest that is not canonical': [
      () => signed(JSON.stringify(fields, null, 1)),
      refused('manifest'),
    ],
    'whose signer signed a log and not a batch': [
      () => {
        const manifest = JSON.stringify(fields);
        const note = String(signed(manifest)['manifest.sig']);
        return { ...good(), 'manifest.sig': note.replace('batch v1', 'log v1') };
      },
      tampered('signature'),
    ],
  };
  test.each(Object.entries(forged))('%s', async (_, [files, refusal]) => {
    await expect(read(await onMedium(files()))).rejects.toMatchObject(refusal);
  });

  test('no directory, or a file in its place', async () => {
    const nowhere = join(await workshop(), 'nowhere');
    await expect(read(nowhere)).rejects.toMatchObject({ code: 'batch-unreadable', exit: 2 });
    await writeFile(nowhere, '');
    await expect(read(nowhere)).rejects.toMatchObject({ code: 'batch-unreadable' });
  });
});

/** The file is moved out of the batch and a link to it left in its place. */
async function linked(directory: string, name: string): Promise<void> {
  const elsewhere = join(dirname(directory), name);
  await rename(join(directory, name), elsewhere);
  await symlink(elsewhere, join(directory, name));
}

/** Something that is no file in the place of the payload. */
async function made(directory: string, program: string, args: string[], path: 'first' | 'last' = 'first') {
  const name = join(directory, 'requests.pem');
  await rm(name);
  execFileSync(program, path === 'first' ? [name, ...args] : [...args, name]);
}

describe('what a bad medium does', () => {
  test('cut at any byte of any file, a batch is refused', async () => {
    const directory = await onMedium(good());
    for (const name of await readdir(directory)) {
      const path = join(directory, name);
      const whole = await readFile(path);
      for (let length = whole.length - 1; length >= 0; length -= 1) {
        await truncate(path, length);
        await expect(read(directory), `${name} cut at ${length}`).rejects.toMatchObject({
          code: expect.stringMatching(/^batch-(refused|tampered)$/),
        });
      }
      await writeFile(path, whole);
    }
    expect(await read(directory)).toBeDefined(); // control
  });

  test('with any byte of any file changed, a batch is refused', async () => {
    const whole = await onMedium(good());
    const scratch = join(dirname(whole), 'scratch');
    const anyFile = fc.constantFrom('manifest.json', 'manifest.sig', 'requests.pem');
    await fc.assert(
      fc.asyncProperty(anyFile, fc.nat(), fc.integer({ min: 1, max: 255 }), async (name, at, change) => {
        await cp(whole, scratch, { recursive: true });
        const bytes = await readFile(join(scratch, name));
        const place = at % bytes.length;
        bytes[place] = (bytes[place] ?? 0) ^ change;
        await writeFile(join(scratch, name), bytes);
        await expect(read(scratch)).rejects.toMatchObject({
          code: expect.stringMatching(/^batch-(refused|tampered)$/),
        });
      }),
    );
  });

  test('files of two good batches mixed in any way are refused', async () => {
    const other = requests.replaceAll('QUJD', 'QUJE');
    const entry = { length: other.length, name: 'requests.pem', sha256: sha256(other) };
    const entries = [...(fields.files as object[]).slice(0, 2), entry];
    const second = signed(JSON.stringify({ ...fields, files: entries, sequence: 2 }), station, {
      checkpoint,
      consistency,
      'requests.pem': other,
    });
    const both = [good(), second];
    for (let mix = 0; mix < 8; mix += 1) {
      const names = ['manifest.json', 'manifest.sig', 'requests.pem'];
      const mixed = names.map((name, bit) => [name, both[(mix >> bit) & 1]?.[name] ?? '']);
      const files = [['checkpoint', checkpoint], ['consistency', consistency], ...mixed];
      const directory = await onMedium(Object.fromEntries(files));
      if (mix === 0 || mix === 7)
        expect(await read(directory)).toBeDefined(); // control: not mixed
      else await expect(read(directory)).rejects.toMatchObject({ code: 'batch-tampered', exit: 7 });
    }
  });
});
