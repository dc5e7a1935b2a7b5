import * as pkijs from 'pkijs';
import { type Cursor, DerError, nextTag, read, tag } from '../der.ts';

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** "No well-defined expiration date", 99991231235959Z (RFC 5280 4.1.2.5): a device has no clock and no successor. */
export const forever = new Date(Date.UTC(9999, 11, 31, 23, 59, 59));

const dayInMs = 86_400_000;

/** `days` null means for ever. */
export function validityFrom(now: Date, days: number | null): Validity {
  return { notBefore: now, notAfter: days === null ? forever : daysAfter(now, days) };
}

export function daysAfter(date: Date, days: number): Date {
  return new Date(date.getTime() + days * dayInMs);
}

/**
 * UTCTime up to 2049, GeneralizedTime from 2050 (RFC 5280 4.1.2.5). In whole seconds: pkijs would write the
 * milliseconds of a GeneralizedTime, which DER readers refuse.
 */
export function time(date: Date): pkijs.Time {
  const value = new Date(Math.floor(date.getTime() / 1000) * 1000);
  const type = value.getUTCFullYear() < 2050 ? pkijs.TimeType.UTCTime : pkijs.TimeType.GeneralizedTime;
  return new pkijs.Time({ type, value });
}

/** What `time` writes, and no other form. @throws DerError */
export function readTime(from: Cursor): Date {
  const type = nextTag(from) === tag.utcTime ? tag.utcTime : tag.generalizedTime;
  const text = Buffer.from(read(from, type)).toString('latin1');
  const century = text < '5' ? '20' : '19'; // RFC 5280 4.1.2.5.1
  const iso = (type === tag.utcTime ? `${century}${text}` : text).replace(
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/,
    '$1-$2-$3T$4:$5:$6.000Z',
  );
  const date = new Date(iso);
  const isDate = !Number.isNaN(date.getTime()) && date.toISOString() === iso; // not the 30th of February
  if (!isDate || (type === tag.generalizedTime && date.getUTCFullYear() < 2050))
    throw new DerError('not a time as RFC 5280 writes it');
  return date;
}
