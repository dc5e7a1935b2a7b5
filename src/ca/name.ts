import * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';
import { LinesideError } from '../errors.ts';

/** Attribute types of RFC 5280 appendix A.1. */
const types = { organization: '2.5.4.10', commonName: '2.5.4.3', serialNumber: '2.5.4.5' } as const;

/** A distinguished name, one attribute in each RDN, in this order. */
export type Name = readonly (readonly [type: keyof typeof types, value: string])[];

/**
 * Name DER, every value a PrintableString: one of the two forms RFC 5280 4.1.2.4 leaves, and names are compared by
 * bytes. As DER because pkijs would make one RDN of two values, another name altogether.
 */
export function encodeName(name: Name): Uint8Array {
  const rdns = name.map(([type, text]) => {
    const value = new asn1js.PrintableString({ value: text });
    const attribute = new pkijs.AttributeTypeAndValue({ type: types[type], value });
    return new asn1js.Set({ value: [attribute.toSchema()] });
  });
  return new Uint8Array(new asn1js.Sequence({ value: rdns }).toBER());
}

/** What a CA may be called, so that it fits a PrintableString (X.680 41.4) with a word after it. @throws `usage` */
export function parseAuthorityName(text: string): string {
  const fits = /^[A-Za-z0-9]([A-Za-z0-9 '()+,./:=?-]{0,38}[A-Za-z0-9)])?$/.test(text);
  if (fits) return text;
  const problem = `"${text}" cannot name a CA: use letters, digits, spaces and ' ( ) + , - . / : = ?, at most 40`;
  throw new LinesideError('usage', { problem });
}
