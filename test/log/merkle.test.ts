import { describe, expect, test } from 'vitest';
import {
  edgePlaces,
  emptyRoot,
  grow,
  leafHash,
  rootOf,
  sizeOf,
  type TreeNode,
} from '../../src/log/merkle.ts';
import {
  consistencyProof,
  inclusionProof,
  type ReadNode,
  rootAt,
  verifyConsistency,
  verifyInclusion,
} from '../../src/log/proof.ts';
import { auditPath, consistency, treeHash } from '../support/rfc6962.ts';

const hex = (text: string) => Buffer.from(text, 'hex');
const leaves = Array.from({ length: 80 }, (_, n) => Buffer.from(`leaf ${n}`));

/** The leaves and roots of the certificate-transparency project, which every implementation is tested with. */
const published = {
  leaves: [
    '',
    '00',
    '10',
    '2021',
    '3031',
    '40414243',
    '5051525354555657',
    '606162636465666768696a6b6c6d6e6f',
  ],
  roots: [
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ],
  inclusion: [
    { index: 0, size: 1, path: [] },
    {
      index: 0,
      size: 8,
      path: [
        '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
        '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
        '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
      ],
    },
    {
      index: 2,
      size: 3,
      path: ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'],
    },
    {
      index: 1,
      size: 5,
      path: [
        '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
        '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
        'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      ],
    },
  ],
  consistency: [
    {
      from: 1,
      size: 8,
      path: [
        '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
        '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
        '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
      ],
    },
    {
      from: 6,
      size: 8,
      path: [
        '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
        'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
        'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      ],
    },
    {
      from: 2,
      size: 5,
      path: [
        '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
        'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      ],
    },
    {
      from: 6,
      size: 7,
      path: [
        '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
        'b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f',
        'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      ],
    },
  ],
};

/** A log that grew leaf by leaf, and what it then keeps. */
function logOf(all: readonly Uint8Array[]): { read: ReadNode; edge: TreeNode[] } {
  const nodes = new Map<string, Buffer>();
  const edge: TreeNode[] = [];
  for (const leaf of all)
    for (const { level, place, hash } of grow(edge, leaf)) nodes.set(`${level}/${place}`, hash);
  const read: ReadNode = async (level, place) => {
    const hash = nodes.get(`${level}/${place}`);
    if (hash === undefined) throw new Error(`node ${level}/${place} is not complete`);
    return hash;
  };
  return { read, edge };
}

describe('the published vectors', () => {
  const { read } = logOf(published.leaves.map(hex));

  test.each(published.roots.map((root, size) => [size, root] as const))(
    'root of %d leaves',
    async (size, root) => {
      expect((await rootAt(read, size)).toString('hex')).toBe(root);
      expect(rootOf(logOf(published.leaves.slice(0, size).map(hex)).edge).toString('hex')).toBe(root);
    },
  );

  test.each(published.inclusion)('proof of leaf $index in $size', async ({ index, size, path }) => {
    const proof = await inclusionProof(read, index, size);
    expect(proof.map((hash) => hash.toString('hex'))).toEqual(path);
    const leaf = leafHash(hex(published.leaves[index] ?? ''));
    expect(verifyInclusion(leaf, index, size, proof, hex(published.roots[size] ?? ''))).toBe(true);
  });

  test.each(published.consistency)('proof from $from to $size', async ({ from, size, path }) => {
    const proof = await consistencyProof(read, from, size);
    expect(proof.map((hash) => hash.toString('hex'))).toEqual(path);
    const [older, newer] = [from, size].map((at) => ({ size: at, root: hex(published.roots[at] ?? '') }));
    expect(older && newer && verifyConsistency(older, newer, proof)).toBe(true);
  });
});

describe('a tree that grows leaf by leaf', () => {
  test('has the root of the RFC at every size, from its edge alone', () => {
    const edge: TreeNode[] = [];
    expect(rootOf(edge)).toEqual(emptyRoot);
    leaves.forEach((leaf, n) => {
      grow(edge, leaf);
      expect(sizeOf(edge)).toBe(n + 1);
      expect(edge.map(({ level, place }) => ({ level, place }))).toEqual(edgePlaces(n + 1));
      expect(rootOf(edge)).toEqual(treeHash(leaves.slice(0, n + 1)));
    });
  });

  test('completes each node once, with the last leaf under it', () => {
    const edge: TreeNode[] = [];
    leaves.forEach((leaf, n) => {
      for (const { level, place, hash } of grow(edge, leaf)) {
        const width = 2 ** level;
        expect(place).toBe((n + 1) / width - 1);
        expect(hash).toEqual(treeHash(leaves.slice(place * width, n + 1)));
      }
    });
  });

  test('knows its edge beyond 32 bits', () => {
    const places = edgePlaces(2 ** 40 + 2 ** 33 + 1);
    expect(places).toEqual([
      { level: 40, place: 0 },
      { level: 33, place: 2 ** 7 },
      { level: 0, place: 2 ** 40 + 2 ** 33 },
    ]);
  });
});

describe('proofs at every size up to 80', () => {
  const { read } = logOf(leaves);
  const roots = Array.from({ length: 81 }, (_, size) => treeHash(leaves.slice(0, size)));
  const at = (size: number) => ({ size, root: roots[size] ?? emptyRoot });
  const hashes = leaves.map((leaf) => leafHash(leaf));
  const leafAt = (index: number) => hashes[index] ?? emptyRoot;
  const same = (one: Buffer[], other: Buffer[]) => Buffer.concat(one).equals(Buffer.concat(other));

  test('of inclusion are those of the RFC, hold, and hold for no other place, size, leaf or root', async () => {
    const wrong: string[] = [];
    for (let size = 1; size <= 80; size++)
      for (let index = 0; index < size; index++) {
        const proof = await inclusionProof(read, index, size);
        const holds = (i: number, n: number, leaf = leafAt(index), root = at(size).root) =>
          verifyInclusion(leaf, i, n, proof, root);
        const others = [
          ...[index - 1, index + 1, index ^ 2].map((other) => holds(other, size)),
          ...[size * 2, size + 80].map((other) => holds(index, other)),
          holds(index, size, leafHash(Buffer.from('another'))),
          holds(index, size, leafAt(index), emptyRoot),
        ];
        const right = same(proof, auditPath(index, leaves.slice(0, size))) && holds(index, size);
        if (!right || others.includes(true)) wrong.push(`leaf ${index} in ${size}: ${others.join()}`);
      }
    expect(wrong).toEqual([]);
  });

  test('of consistency are those of the RFC, hold, and hold for no other sizes or roots', async () => {
    const wrong: string[] = [];
    for (let size = 1; size <= 80; size++)
      for (let from = 1; from < size; from++) {
        const proof = await consistencyProof(read, from, size);
        const others = [
          verifyConsistency(at(from - 1), at(size), proof),
          verifyConsistency(at(from + 1), at(size), proof),
          verifyConsistency({ ...at(from), size: from + 1 }, at(size), proof),
          verifyConsistency(at(from), { ...at(size), size: size * 2 }, proof),
          verifyConsistency(at(from), { ...at(size), root: at(from).root }, proof),
          verifyConsistency({ ...at(from), root: emptyRoot }, at(size), proof),
          verifyConsistency(at(size), at(from), proof),
          verifyConsistency(at(from), at(size), []),
        ];
        const holds = verifyConsistency(at(from), at(size), proof);
        if (!holds || !same(proof, consistency(from, leaves.slice(0, size))) || others.includes(true))
          wrong.push(`${from} to ${size}: ${others.join()}`);
      }
    expect(wrong).toEqual([]);
  });

  test('from nothing, and from a tree to itself, are empty, and nothing else is', async () => {
    for (let size = 0; size <= 80; size++)
      for (const from of [0, size]) {
        expect(await consistencyProof(read, from, size)).toEqual([]);
        expect(verifyConsistency(at(from), at(size), [])).toBe(true);
        expect(verifyConsistency(at(from), at(size), [emptyRoot])).toBe(false);
        expect(verifyConsistency({ size: from, root: leafAt(7) }, at(size), [])).toBe(false);
      }
  });

  test('with a hash flipped, missing, too many, in another order or of another length are refused', async () => {
    const accepted: string[] = [];
    for (let size = 2; size <= 80; size += 3)
      for (let from = 1; from < size; from++) {
        for (const bad of spoilt(await inclusionProof(read, from, size)))
          if (verifyInclusion(leafAt(from), from, size, bad, at(size).root))
            accepted.push(`${from} in ${size}`);
        for (const bad of spoilt(await consistencyProof(read, from, size)))
          if (verifyConsistency(at(from), at(size), bad)) accepted.push(`${from} to ${size}`);
      }
    expect(accepted).toEqual([]);
  });

  test('whose hashes are cut elsewhere, though their bytes are the same in a row, are refused', async () => {
    const [sibling = emptyRoot] = await inclusionProof(read, 0, 2);
    const longer = Buffer.concat([leafAt(0), sibling.subarray(0, 1)]);
    expect(verifyInclusion(longer, 0, 2, [sibling.subarray(1)], at(2).root)).toBe(false);
    expect(verifyInclusion(leafAt(0), 0, 2, [sibling], at(2).root)).toBe(true); // control
  });

  test('with numbers that are no sizes are refused', async () => {
    const leaf = leafAt(0);
    for (const [index, size] of [
      [-1, 1],
      [0.5, 1],
      [0, Number.NaN],
      [1, 1],
      [0, Number.POSITIVE_INFINITY],
      [0, 2 ** 53],
    ] as const)
      expect(verifyInclusion(leaf, index, size, [], leaf)).toBe(false);
    for (const from of [-1, 0.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY])
      expect(verifyConsistency({ size: from, root: leaf }, at(80), [leaf])).toBe(false);
    expect(
      verifyConsistency({ size: 2 ** 53 - 2, root: leaf }, { size: 2 ** 53 - 1, root: leaf }, [leaf]),
    ).toBe(false);
    expect(verifyInclusion(leaf, 0, 1, [], leaf)).toBe(true); // control
  });
});

function spoilt(proof: readonly Buffer[]): Buffer[][] {
  const flipped = proof.map((hash, at) => {
    const other = Buffer.from(hash);
    other.writeUInt8(other.readUInt8(at % 32) ^ 1, at % 32);
    return proof.map((each, index) => (index === at ? other : each));
  });
  const cut = proof.map((_, at) => proof.filter((_, index) => index !== at));
  const [first = emptyRoot] = proof;
  const more = [
    [...proof, first],
    [first, ...proof],
    [...proof, emptyRoot],
    [emptyRoot, ...proof],
  ];
  const short = proof.length > 0 ? [[...proof.slice(0, -1), Buffer.alloc(31)]] : [];
  const turned = proof.length > 1 && !first.equals(proof.at(-1) ?? first) ? [proof.toReversed()] : [];
  return [...flipped, ...cut, ...more, ...short, ...turned];
}
