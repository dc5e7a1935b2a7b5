import { createHash, ECDH } from 'node:crypto';

export interface WholeIdentityPage {
  readonly id: string;
  readonly publicKey: string;
  readonly privateKey: string;
}

/**
 * An independent, strict reading of the whole identity page, private key and all: the product has none, because
 * it never reads a private key back. Made from design section 3; it imports nothing from src/.
 * @throws Error whose message is the rule
 */
export function readIdentityPage(page: Buffer): WholeIdentityPage {
  const body = bodyOf(page);
  const found = new Map<number, Buffer>();
  let lastType = 0;
  for (let rest = body; rest.length > 0; ) {
    const length = rest.readUInt16LE(2);
    lastType = rest.readUInt16LE(0);
    const whole = 4 + length + ((4 - (length % 4)) % 4);
    rule('tlv-length', whole <= rest.length);
    rule('padding', /^(ff)*$/.test(rest.toString('hex', 4 + length, whole)));
    rule('duplicate', lastType > 3 || !found.has(lastType));
    found.set(lastType, rest.subarray(4, 4 + length));
    rest = rest.subarray(whole);
  }
  const [id, point, key] = [found.get(1), found.get(2), found.get(3)];
  if (!id || !point || !key) throw new Error('missing');
  rule('order', lastType === 3);
  rule('value', key.length === 32 && isDeviceId(id.toString('latin1')) && isPoint(point));
  return {
    id: id.toString('latin1'),
    publicKey: point.toString('hex'),
    privateKey: key.toString('hex'),
  };
}

function bodyOf(page: Buffer): Buffer {
  rule('too-long', page.length <= 4096);
  rule('truncated', page.length >= 16);
  rule('blank', !/^(ff)*$/.test(page.toString('hex')));
  rule('interrupted', page.toString('hex', 0, 4) !== 'ffffffff');
  rule('magic', page.toString('latin1', 0, 4) === 'LSF1');
  rule('version', page[4] === 1);
  rule('header-length', page.readUInt16LE(6) === 16);
  const total = page.readUInt32LE(8);
  rule('total-length', total + page.readUInt32LE(12) === 0xffffffff);
  rule('too-long', total <= 4096);
  rule('total-length', total >= 48 && total % 4 === 0);
  rule('truncated', page.length >= total);
  rule('trailing', /^(ff)*$/.test(page.toString('hex', total)));
  const hash = createHash('sha256').update(page.subarray(0, total - 32));
  rule('hash', hash.digest('hex') === page.toString('hex', total - 32, total));
  return page.subarray(16, total - 32);
}

function isDeviceId(text: string): boolean {
  return /^[0-9A-F]{8}$/.test(text) && text !== '00000000' && text !== 'FFFFFFFF';
}

function isPoint(point: Buffer): boolean {
  if (point.length !== 65 || point[0] !== 4) return false;
  try {
    return ECDH.convertKey(point, 'prime256v1').length === 65;
  } catch {
    return false;
  }
}

function rule(name: string, holds: boolean): void {
  if (!holds) throw new Error(name);
}
