import { createHash } from 'node:crypto';

/** As `sha256sum` writes them, so that it can check what came off a stick. It is no signature. */
export function sha256Sums(files: ReadonlyMap<string, string>): string {
  return [...files].map(([name, text]) => `${sha256(text)}  ${name}\n`).join('');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
