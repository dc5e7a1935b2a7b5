import { InvalidArgumentError } from 'commander';

/** A number of days from the command line; a hundred years at most, so that a slip of the finger is seen. */
export function parseDays(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text) && Number(text) <= 36_500) return Number(text);
  throw new InvalidArgumentError('days are a whole number from 1 to 36500');
}
