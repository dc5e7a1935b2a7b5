import { cursor, end, nextTag, read, tag } from './der.ts';

/** Contents of id-at-commonName and id-at-serialNumber (RFC 5280 appendix A.1). */
const commonName = Buffer.from('550403', 'hex');
const serialNumber = Buffer.from('550405', 'hex');

/**
 * The text in the contents of a Name that is exactly CN=<text>, serialNumber=<text>, as each device has it: two RDNs
 * of one PrintableString each. Undefined for any other name.
 * @throws DerError
 */
export function readDeviceName(contents: Uint8Array): string | undefined {
  const rdns = cursor(contents);
  const name = readRdn(read(rdns, tag.set), commonName);
  if (nextTag(rdns) !== tag.set) return undefined;
  const serial = readRdn(read(rdns, tag.set), serialNumber);
  return rdns.at === contents.length && name === serial ? name : undefined;
}

function readRdn(contents: Uint8Array, type: Buffer): string | undefined {
  const members = cursor(contents);
  const attribute = cursor(read(members, tag.sequence));
  const ofType = type.equals(read(attribute, tag.objectIdentifier));
  if (!ofType || nextTag(attribute) !== tag.printableString) return undefined;
  const value = read(attribute, tag.printableString);
  end(attribute);
  return members.at === contents.length ? Buffer.from(value).toString('latin1') : undefined;
}
