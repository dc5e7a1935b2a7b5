import { createHash } from 'node:crypto';
import type { Statements } from '../../sqlite/statements.ts';
import type { LogEvent, LogWriter, TreeNode } from '../log.ts';

export interface LeafRow {
  readonly n: number;
  readonly leaf: Buffer;
}

export const tipOfLog = 'SELECT n, leaf FROM log ORDER BY n DESC LIMIT 1';

/** Leaves in a statement, or nodes. */
const atOnce = 1000;

/**
 * A page of leaves as one value, each after its place and length in hex: fetched row by row a leaf costs six times as
 * much. CAST to TEXT and back changes no byte.
 */
const leafPage = `SELECT CAST(group_concat(printf('%016x%08x', n, octet_length(leaf)) || CAST(leaf AS TEXT), ''
  ORDER BY n) AS BLOB) AS page FROM (SELECT n, leaf FROM log WHERE n >= ? ORDER BY n LIMIT ${atOnce})`;

/** The hashes of a level, one after the other, as one value. */
export const nodeHashes = `SELECT CAST(group_concat(CAST(hash AS TEXT), '' ORDER BY place) AS BLOB) AS hashes
  FROM node WHERE level = ? AND place >= ? AND place < ?`;

type Query = <Row>(sql: string, ...values: number[]) => Promise<Row[]>;

export async function* leafPages(query: Query, from: number): AsyncGenerator<LeafRow[]> {
  for (let next = from; ; ) {
    const [row] = await query<{ page: Buffer | null }>(leafPage, next);
    if (!row?.page) return;
    const leaves = [...split(row.page)];
    yield leaves;
    next = (leaves.at(-1)?.n ?? next) + 1;
  }
}

function* split(page: Buffer): Generator<LeafRow> {
  for (let at = 0; at < page.length; ) {
    const n = Number.parseInt(page.toString('latin1', at, at + 16), 16);
    const start = at + 24;
    at = start + Number.parseInt(page.toString('latin1', at + 16, start), 16);
    yield { n, leaf: page.subarray(start, at) };
  }
}

/** Puts events at the end of the log, and the nodes they complete into its tree. @returns how many leaves there are */
export async function appendLeaves(
  sql: Statements,
  writer: LogWriter,
  events: readonly LogEvent[],
  t: string,
): Promise<number> {
  let [tip] = await sql.all<LeafRow>(tipOfLog);
  const edge = await growTo(sql, writer, tip === undefined ? 0 : tip.n + 1);
  const foreword = tip && writer.foreword(tip.leaf, t);
  const leaves: LeafRow[] = [];
  const nodes: TreeNode[] = [];
  for (const event of foreword ? [foreword, ...events] : events) {
    const n = tip === undefined ? 0 : tip.n + 1;
    const previous = tip === undefined ? null : sha256(tip.leaf);
    const leaf = Buffer.from(writer.encodeLeaf({ ...event, t }, n, previous));
    nodes.push(...writer.grow(edge, leaf));
    leaves.push({ n, leaf });
    tip = { n, leaf };
  }
  await insertLeaves(sql, leaves);
  await insertNodes(sql, nodes);
  return tip === undefined ? 0 : tip.n + 1;
}

/** The edge of the tree of `size` leaves; nodes that a registry from before there was a tree lacks are added. */
async function growTo(sql: Statements, writer: LogWriter, size: number): Promise<TreeNode[]> {
  const [top] = await sql.all<{ size: number }>(
    'SELECT coalesce(max(place) + 1, 0) AS size FROM node WHERE level = 0',
  );
  const edge = await readEdge(sql, writer.edgePlaces(top?.size ?? 0));
  for (let n = top?.size ?? 0; n < size; ) {
    const page = 'SELECT n, leaf FROM log WHERE n >= ? ORDER BY n LIMIT ?';
    const leaves = await sql.all<LeafRow>(page, n, atOnce);
    await insertNodes(
      sql,
      leaves.flatMap(({ leaf }) => writer.grow(edge, leaf)),
    );
    n += leaves.length;
  }
  return edge;
}

async function readEdge(sql: Statements, places: readonly Omit<TreeNode, 'hash'>[]): Promise<TreeNode[]> {
  const select = `SELECT node.level, node.place, node.hash FROM json_each(?) AS asked JOIN node
    ON node.level = asked.value ->> 'level' AND node.place = asked.value ->> 'place' ORDER BY asked.key`;
  return sql.all<TreeNode>(select, JSON.stringify(places));
}

async function insertLeaves(sql: Statements, leaves: readonly LeafRow[]): Promise<void> {
  const insert = `INSERT INTO log (n, leaf) SELECT value ->> 0, unhex(value ->> 1) FROM json_each(?) ORDER BY key`;
  for (const some of inPages(leaves)) {
    await sql.run(insert, JSON.stringify(some.map(({ n, leaf }) => [n, leaf.toString('hex')])));
  }
}

async function insertNodes(sql: Statements, nodes: readonly TreeNode[]): Promise<void> {
  const insert = `INSERT INTO node (level, place, hash)
    SELECT value ->> 0, value ->> 1, unhex(value ->> 2) FROM json_each(?) ORDER BY key`;
  for (const some of inPages(nodes)) {
    const rows = some.map(({ level, place, hash }) => [level, place, hash.toString('hex')]);
    await sql.run(insert, JSON.stringify(rows));
  }
}

function* inPages<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += atOnce) yield items.slice(at, at + atOnce);
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
