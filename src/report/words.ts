const grouping = new Intl.NumberFormat('en-GB');

/** `12,345` */
export function count(value: number): string {
  return grouping.format(value);
}

/** `1 unit`, `2 units` */
export function counted(value: number, one: string, more = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : more}`;
}

/** `96.4 %`, never rounded up: 100 % means all of them. */
export function percent(share: number | null): string {
  return share === null ? '–' : `${(Math.floor(share * 1000) / 10).toFixed(1)} %`;
}

/** `2026-11-25 03:04:05`, UTC */
export function dateTime(time: Date | string): string {
  const iso = typeof time === 'string' ? time : time.toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}`;
}

const units = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const;

/** `12 days`, `3 hours`: the largest unit that there is more than one of. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [name, length] = units.find(([, length]) => whole >= 2 * length) ?? ['second', 1];
  return counted(Math.floor(whole / length), name);
}

/** `3.2 s` */
export function briefly(seconds: number | null): string {
  return seconds === null ? '–' : `${seconds < 100 ? seconds.toFixed(1) : count(Math.round(seconds))} s`;
}
