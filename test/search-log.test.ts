import { describe, expect, test } from 'vitest';
import { encodeLeaf } from '../src/log/leaf.ts';
import { matching, type Query } from '../src/search-log.ts';
import { context } from './support/log-context.ts';

const encode = encodeLeaf(context);
const t = '2026-11-23T14:05:00.000Z';
const step = { id: 'ABCD1234', from: 'flashed', t } as const;
const passed = encode(
  { ...step, ev: 'unit.verified', to: 'verified', proof: 'read-back', locked: false },
  0,
  null,
);
const failed = encode({ ...step, ev: 'unit.void', to: 'void', reason: 'reset-failed' }, 1, null);
const lease = encode({ ev: 'lease.accept', t, lease: '00000001-0000FFFF' }, 2, null);

function found(query: Query): string[] {
  return [passed, failed, lease].flatMap((bytes) => {
    const leaf = matching(query, bytes);
    return leaf === undefined ? [] : [leaf === 'unreadable' ? leaf : leaf.ev];
  });
}

describe('a search in the log', () => {
  test.each<[Query, string[]]>([
    [{}, ['unit.verified', 'unit.void', 'lease.accept']],
    [{ id: 'ABCD1234' }, ['unit.verified', 'unit.void']],
    [{ id: 'ABCD1235' }, []],
    [{ station: 'st07' }, ['unit.verified', 'unit.void', 'lease.accept']],
    [{ station: 'st08' }, []],
    [{ event: 'unit' }, ['unit.verified', 'unit.void']],
    [{ event: 'unit.void' }, ['unit.void']],
    [{ event: 'uni' }, []],
    [{ result: 'pass' }, ['unit.verified']],
    [{ result: 'fail' }, ['unit.void']],
    [{ from: '2026-11-23' }, ['unit.verified', 'unit.void', 'lease.accept']],
    [{ from: '2026-11-23T14:06' }, []],
    [{ to: '2026-11-23T14:05' }, ['unit.verified', 'unit.void', 'lease.accept']],
    [{ to: '2026' }, ['unit.verified', 'unit.void', 'lease.accept']],
    [{ to: '2026-11-22' }, []],
    [{ from: '2026-11', to: '2026-11', result: 'fail', id: 'ABCD1234' }, ['unit.void']],
  ])('for %j finds %j', (query, events) => {
    expect(found(query)).toEqual(events);
  });

  test('shows what it cannot read, whatever is looked for', () => {
    expect(matching({ id: 'ABCD1234' }, Buffer.from('\u001b[2J'))).toBe('unreadable');
  });
});
