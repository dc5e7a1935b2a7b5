/**
 * The tree over the log, its epochs, and leases that are closed. Rules as in 0001. A node is written with the leaf
 * that completes it and never again: a place is taken in order, above the two nodes it covers.
 */
const isTime = (column: string) =>
  `octet_length(${column}) = 24 AND ${column} GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T*Z'`;

const node = `
CREATE TABLE node (
  -- of RFC 6962: 0 is the hash of the leaf in this place
  level INTEGER NOT NULL CHECK (level BETWEEN 0 AND 52),
  place INTEGER NOT NULL CHECK (place >= 0),
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  PRIMARY KEY (level, place)
) STRICT, WITHOUT ROWID`;

const nodeAdded = `
CREATE TRIGGER node_added BEFORE INSERT ON node BEGIN
  SELECT RAISE(ABORT, 'a level of the tree has no gap and no second node in a place')
    WHERE NEW.place IS NOT (SELECT coalesce(max(place) + 1, 0) FROM node WHERE level = NEW.level);
  SELECT RAISE(ABORT, 'a leaf is there before its hash') WHERE NEW.level = 0
    AND NOT EXISTS (SELECT 1 FROM log WHERE n = NEW.place);
  SELECT RAISE(ABORT, 'a node covers two that are there') WHERE NEW.level > 0
    AND NOT EXISTS (SELECT 1 FROM node WHERE level = NEW.level - 1 AND place = NEW.place * 2 + 1);
END`;

const epoch = `
CREATE TABLE epoch (
  number INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 4294967295),
  opened_at TEXT NOT NULL CHECK (${isTime('opened_at')})
) STRICT`;

const epochAdded = `
CREATE TRIGGER epoch_added BEFORE INSERT ON epoch
WHEN EXISTS (SELECT 1 FROM epoch WHERE number >= NEW.number)
BEGIN SELECT RAISE(ABORT, 'an epoch is later than all before it'); END`;

const leaseChanged = `
CREATE TRIGGER lease_changed BEFORE UPDATE ON lease
WHEN NEW.place <> OLD.place OR NEW.first <> OLD.first OR NEW.last <> OLD.last OR OLD.closed_at IS NOT NULL
  OR NEW.next < OLD.next OR (NEW.next = OLD.next) = (NEW.closed_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'only the next id of a lease changes, and only upwards, until it is closed'); END`;

/** Replaces that of 0001: a lease that is closed gives no id. */
const unitAdded = `
CREATE TRIGGER unit_added BEFORE INSERT ON unit BEGIN
  SELECT RAISE(ABORT, 'id-in-use') WHERE EXISTS (SELECT 1 FROM unit WHERE id = NEW.id);
  SELECT RAISE(ABORT, 'id-outside-lease') WHERE NOT EXISTS (
    SELECT 1 FROM lease WHERE NEW.id BETWEEN first AND last AND closed_at IS NULL);
  SELECT RAISE(ABORT, 'illegal-transition') WHERE NEW.state <> 'reserved';
END`;

const never = (act: 'UPDATE' | 'DELETE', table: string) =>
  `CREATE TRIGGER ${table}_never_${act} BEFORE ${act} ON ${table} BEGIN
    SELECT RAISE(ABORT, '${act} is never done to ${table}'); END`;

/** JSON_EXTRACT would take a BLOB for JSONB; a leaf that is no JSON names no unit. */
export const unitOfLeaf = `CASE WHEN json_valid(CAST(leaf AS TEXT)) THEN json_extract(CAST(leaf AS TEXT), '$.id') END`;

export const name = '0003-tree';

export const statements: readonly string[] = [
  node,
  nodeAdded,
  never('UPDATE', 'node'),
  never('DELETE', 'node'),
  epoch,
  epochAdded,
  never('UPDATE', 'epoch'),
  never('DELETE', 'epoch'),
  `ALTER TABLE lease ADD COLUMN closed_at TEXT CHECK (${isTime('closed_at')})`,
  'DROP TRIGGER lease_changed',
  leaseChanged,
  'DROP TRIGGER unit_added',
  unitAdded,
  `CREATE INDEX log_unit ON log (${unitOfLeaf}) WHERE ${unitOfLeaf} IS NOT NULL`,
];
