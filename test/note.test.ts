import { createPrivateKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  fingerprint,
  formatPrivateKey,
  makeSigner,
  openNote,
  readSigner,
  readVerifier,
  type Signer,
  signNote,
} from '../src/note.ts';

/*
 * The keys, texts and signatures of golang.org/x/mod/sumdb/note, the implementation the format comes from
 * (note_test.go): what holds there holds here, and what it refuses is refused.
 */
const peterLine = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const enochLine = 'EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop';
const peterSecret = 'AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
const text =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const peterSignature =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
const enochSignature =
  '— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n';
const peter = readVerifier(peterLine);
const enoch = readVerifier(enochLine);

/** Go keeps the type byte and the seed; PKCS#8 has a fixed prefix before the seed (RFC 8410 section 7). */
function peterSigner(): Signer {
  const seed = Buffer.from(peterSecret, 'base64').subarray(1);
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return readSigner('PeterNeumann', key.export({ format: 'pem', type: 'pkcs8' }).toString());
}

const bytes = (note: string) => Buffer.from(note);
const open = (note: string | Uint8Array, ...known: Parameters<typeof openNote>[1]) =>
  openNote(typeof note === 'string' ? bytes(note) : note, known);
const rule = (name: string) => expect.objectContaining({ name: 'NoteError', rule: name });

describe('a note of the reference implementation', () => {
  test('is signed byte for byte as there', () => {
    expect(peterSigner().verifier.line).toBe(peterLine);
    expect(signNote(text, peterSigner())).toBe(`${text}\n${peterSignature}`);
  });

  test('opens for whoever knows one of its signers', () => {
    const note = `${text}\n${peterSignature}${enochSignature}`;
    for (const known of [[peter], [enoch], [peter, enoch], [enoch, peter]])
      expect(open(note, ...known)).toBe(text);
  });

  test('signed by nobody known is refused', () => {
    expect(() => open(`${text}\n${peterSignature}`)).toThrow(rule('unknown-signer'));
    expect(() => open(`${text}\n${peterSignature}`, enoch)).toThrow(rule('unknown-signer'));
  });

  test('is refused for one known signature that does not hold, though another does', () => {
    const broken = `${enochSignature.slice(0, 60)}ABCD${enochSignature.slice(60)}`;
    const note = `${text}\n${peterSignature}${broken}`;
    expect(open(note, peter)).toBe(text);
    expect(() => open(note, peter, enoch)).toThrow(rule('signature'));
  });

  test('whose text was changed is refused', () => {
    expect(() => open(`${text.replace('your', 'my')}\n${peterSignature}`, peter)).toThrow(rule('signature'));
  });
});

test('the example of the specification has its form, also with an empty line in its text', () => {
  const example = `Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n
— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n`;
  expect(() => open(example, peter)).toThrow(rule('unknown-signer')); // and not `malformed`
});

describe('only the one form is a note', () => {
  const note = `${text}\n${peterSignature}`;
  const cases: Record<string, string | Uint8Array> = {
    'no signature': text,
    'no signature after the empty line': `${text}\n`,
    'no newline at the end': note.slice(0, -1),
    'no text': `\n${peterSignature}`,
    'a control character': `\u0001${note}`,
    'a carriage return': note.replaceAll('\n', '\r\n'),
    'a tab': note.replace(' ', '\t'),
    'a byte that is not UTF-8': Buffer.concat([Buffer.of(0xff), bytes(note)]),
    'a name with a space': note.replace('— Peter', '— Peter '),
    'a name with a plus': note.replace('— Peter', '— Peter+'),
    'a name with a no-break space': note.replace('— Peter', '— Peter\u00a0'),
    'a hyphen for the em dash': note.replace('—', '-'),
    'two spaces': note.replace('— ', '—  '),
    'a signature without padding': note.replace('=\n', '\n'),
    'a signature in base64url': note.replaceAll('/', '_'),
    'bits after the end of the base64': note.replace('nAM=', 'nAN='),
    'a signature that is only a key hash': note.replace(/x08go.*/, 'x08gow=='),
    'a line that is no signature': `${note}Unexpected line.\n`,
    'an empty line at the end': `${note}\n`,
    'a byte order mark in the signatures': note.replace('—', '\ufeff—'),
  };

  test.each(Object.entries(cases))('and not one with %s', (_, bad) => {
    expect(() => open(bad, peter)).toThrow(rule('malformed'));
    expect(open(note, peter)).toBe(text); // control
  });

  test('with 16 signatures at the most', () => {
    const stranger = peterSignature.replace('Peter', 'Stranger');
    expect(open(`${text}\n${stranger.repeat(15)}${peterSignature}`, peter)).toBe(text);
    expect(() => open(`${text}\n${stranger.repeat(16)}${peterSignature}`, peter)).toThrow(rule('malformed'));
  });

  test.each(['', 'no newline', 'bell\u0007\n', 'half a pair \ud800\n'])('%j is not signed', (bad) => {
    expect(() => signNote(bad, peterSigner())).toThrow(rule('malformed'));
  });
});

describe('a verifier key', () => {
  test('mangled in any way the reference implementation tries is refused', () => {
    for (let from = 0; from < peterLine.length; from += 1)
      for (let to = from + 1; to <= peterLine.length; to += 1)
        if (to - from < peterLine.length)
          expect(() => readVerifier(peterLine.slice(from, to))).toThrow(rule('verifier-key'));
    for (let at = 0; at < peterLine.length; at += 1) {
      const next = String.fromCharCode(peterLine.charCodeAt(at) + 1);
      const mangled = peterLine.slice(0, at) + next + peterLine.slice(at + 1);
      expect(() => readVerifier(mangled)).toThrow(rule('verifier-key'));
    }
    expect(readVerifier(peterLine)).toMatchObject({ name: 'PeterNeumann', hash: 'c74f20a3' }); // control
  });

  test.each([
    ['of the wrong length', 'PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY=='],
    ['of an unknown algorithm', 'PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'],
    ['with a hash in upper case', peterLine.replace('c74f20a3', 'C74F20A3')],
    ['with a newline', `${peterLine}\n`],
  ])('%s is refused', (_, line) => {
    expect(() => readVerifier(line)).toThrow(rule('verifier-key'));
  });

  test('has the fingerprint that sha256sum shows for the file that carries it', () => {
    // printf '%s\n' "$line" | sha256sum | cut -c1-32
    expect(fingerprint(peter)).toBe('836d 5537 e064 452c f3c3 bc4e 93aa 1507');
    expect(fingerprint(enoch)).not.toBe(fingerprint(peter));
  });
});

describe('a key pair', () => {
  test('survives being written down, and what it signs only its own verifier key opens', () => {
    const signer = makeSigner('st07');
    const again = readSigner('st07', formatPrivateKey(signer));
    const note = signNote('checked\n', again);
    expect(open(note, readVerifier(signer.verifier.line))).toBe('checked\n');
    expect(() => open(note, makeSigner('st07').verifier)).toThrow(rule('unknown-signer'));
    expect(() => open(note, readSigner('st08', formatPrivateKey(signer)).verifier)).toThrow(
      rule('unknown-signer'),
    );
  });

  test.each(['', 'st 07', 'st+07', 'st07\n', 'st\u2003'])('has no name like %j', (name) => {
    expect(() => makeSigner(name)).toThrow(rule('name'));
  });

  test('is read from a PKCS#8 PEM of Ed25519 and nothing else, and the refusal repeats none of it', () => {
    const pem = formatPrivateKey(makeSigner('st07'));
    for (const bad of ['', 'key', pem.slice(0, 60), pem.replace('PRIVATE', 'PUBLIC')]) {
      expect(() => readSigner('st07', bad)).toThrow(rule('private-key'));
      expect(() => readSigner('st07', bad)).toThrow('it is not an Ed25519 key in PKCS#8 PEM');
    }
  });
});

test('a note of any text opens to that text, and no longer after any byte of it changed', () => {
  const signer = makeSigner('st07');
  const line = fc.string({ unit: 'grapheme' }).map((each) => each.replaceAll(/[\p{C}]/gu, ' '));
  const anyText = fc.array(line, { minLength: 1 }).map((lines) => `${lines.join('\n')}\n`);
  fc.assert(
    fc.property(anyText, fc.nat(), fc.integer({ min: 1, max: 255 }), (written, at, change) => {
      const note = bytes(signNote(written, signer));
      expect(open(note, signer.verifier)).toBe(written);
      const place = at % note.length;
      note[place] = (note[place] ?? 0) ^ change;
      expect(() => open(note, signer.verifier)).toThrow(expect.objectContaining({ name: 'NoteError' }));
    }),
  );
});
