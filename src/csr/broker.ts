import { createHash } from 'node:crypto';
import { cursor, end, nextTag, read, readWhole, tag } from '../der.ts';
import { verifyHere } from '../ecdsa.ts';
import { spkiSha256 } from '../public-key.ts';
import { hex, readPublicKey, readSignature, refuse, strictly, keyOf } from './verify.ts';

/** A broker's request, of which only its key is believed: the names it gets are given by the CA officer. */
export interface VerifiedBrokerCsr {
  /** Uncompressed point, 65 bytes. */
  readonly publicKey: Uint8Array;
  readonly spkiSha256: string;
  readonly sha256: string;
}

/** Names and requested extensions make it longer than a device's. */
const maximumLength = 8192;

/**
 * As strict as `verifyCsr` on encoding, key and signature; subject and attributes may be anything that is DER, since
 * nothing of them is copied.
 * @throws LinesideError `csr-refused`
 */
export function verifyBrokerCsr(der: Uint8Array): VerifiedBrokerCsr {
  if (der.length > maximumLength) refuse('too-large');
  return strictly(() => {
    const outer = cursor(der);
    const request = cursor(read(outer, tag.sequence));
    end(outer);
    const message = readWhole(request, tag.sequence);
    const info = cursor(read(cursor(message), tag.sequence));
    if (hex(read(info, tag.integer)) !== '00') refuse('version');
    read(info, tag.sequence);
    const publicKey = readPublicKey(read(info, tag.sequence));
    if (nextTag(info) === tag.attributes) read(info, tag.attributes); // OpenSSL may leave out an empty one
    end(info);
    const signature = readSignature(request);
    end(request);

    if (!verifyHere({ message, signature, key: keyOf(publicKey) })) refuse('signature');
    const sha256 = createHash('sha256').update(der).digest('hex');
    return { publicKey: publicKey.slice(), spkiSha256: spkiSha256(publicKey), sha256 };
  });
}
