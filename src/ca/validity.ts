import * as pkijs from 'pkijs';

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
