/**
 * The rules of the registry, held by the database itself so that no code and no hand at a SQL prompt breaks them
 * by mistake. A rule an operator can meet raises its error code. Rules that a UNIQUE holds are raised by a trigger
 * as well: INSERT or UPDATE OR REPLACE would delete the other row to make the new one fit. Ids are the number
 * behind the 8 hex digits; `octet_length` because `length` stops at a NUL.
 */
const isSha256 = (column: string) => `octet_length(${column}) = 64 AND ${column} NOT GLOB '*[^0-9a-f]*'`;
const isTime = (column: string) =>
  `octet_length(${column}) = 24 AND ${column} GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T*Z'`;

const lease = `
CREATE TABLE lease (
  place INTEGER PRIMARY KEY,
  first INTEGER NOT NULL CHECK (first >= 1),
  last INTEGER NOT NULL CHECK (last BETWEEN first AND 4294967294),
  -- every id of the lease below this one has been used
  next INTEGER NOT NULL CHECK (next BETWEEN first AND last + 1)
) STRICT`;

const unit = `
CREATE TABLE unit (
  id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 4294967294),
  state TEXT NOT NULL CHECK (state IN ('reserved', 'keyed', 'flashing', 'flashed', 'verified', 'exported',
    'certified', 'installed', 'void')),
  csr BLOB CHECK (length(csr) BETWEEN 1 AND 1024),
  spki TEXT UNIQUE CHECK (${isSha256('spki')}),
  uid TEXT CHECK (octet_length(uid) BETWEEN 8 AND 32 AND uid NOT GLOB '*[^0-9A-F]*'),
  probe TEXT CHECK (octet_length(probe) BETWEEN 1 AND 40),
  firmware TEXT CHECK (${isSha256('firmware')}),
  proof TEXT CHECK (proof IN ('read-back', 'signature')),
  locked INTEGER NOT NULL DEFAULT 0 CHECK (locked IN (0, 1)),
  reason TEXT CHECK (length(reason) >= 1 AND octet_length(reason) <= 480),
  reserved_at TEXT NOT NULL CHECK (${isTime('reserved_at')}),
  changed_at TEXT NOT NULL CHECK (${isTime('changed_at')}),
  CONSTRAINT csr_with_spki CHECK ((csr IS NULL) = (spki IS NULL)),
  CONSTRAINT csr_from_keyed CHECK (CASE state WHEN 'reserved' THEN csr IS NULL WHEN 'void' THEN 1
    ELSE csr IS NOT NULL END),
  CONSTRAINT uid_with_probe CHECK ((uid IS NULL) = (probe IS NULL) AND (firmware IS NULL OR uid IS NOT NULL)),
  CONSTRAINT uid_from_flashing CHECK (CASE WHEN state IN ('reserved', 'keyed') THEN uid IS NULL
    WHEN state = 'void' THEN 1 ELSE uid IS NOT NULL END),
  CONSTRAINT proof_from_verified CHECK (CASE WHEN state IN ('reserved', 'keyed', 'flashing', 'flashed')
    THEN proof IS NULL AND locked = 0 WHEN state = 'void' THEN 1 ELSE proof IS NOT NULL END),
  CONSTRAINT reason_of_void CHECK ((state = 'void') = (reason IS NOT NULL))
) STRICT`;

const log = `
CREATE TABLE log (
  n INTEGER PRIMARY KEY,
  leaf BLOB NOT NULL CHECK (length(leaf) BETWEEN 2 AND 4096)
) STRICT`;

const leaseAdded = `
CREATE TRIGGER lease_added BEFORE INSERT ON lease BEGIN
  SELECT RAISE(ABORT, 'lease-overlaps') WHERE EXISTS (
    SELECT 1 FROM lease WHERE first <= NEW.last AND last >= NEW.first);
  SELECT RAISE(ABORT, 'a lease never takes the place of another') WHERE EXISTS (
    SELECT 1 FROM lease WHERE place = NEW.place);
END`;

const leaseChanged = `
CREATE TRIGGER lease_changed BEFORE UPDATE ON lease
WHEN NEW.place <> OLD.place OR NEW.first <> OLD.first OR NEW.last <> OLD.last OR NEW.next <= OLD.next
BEGIN SELECT RAISE(ABORT, 'only the next id of a lease changes, and only upwards'); END`;

const unitAdded = `
CREATE TRIGGER unit_added BEFORE INSERT ON unit BEGIN
  SELECT RAISE(ABORT, 'id-in-use') WHERE EXISTS (SELECT 1 FROM unit WHERE id = NEW.id);
  SELECT RAISE(ABORT, 'id-outside-lease') WHERE NOT EXISTS (
    SELECT 1 FROM lease WHERE NEW.id BETWEEN first AND last);
  SELECT RAISE(ABORT, 'illegal-transition') WHERE NEW.state <> 'reserved';
END`;

const unitChanged = `
CREATE TRIGGER unit_changed BEFORE UPDATE ON unit BEGIN
  SELECT RAISE(ABORT, 'illegal-transition') WHERE OLD.state || ' ' || NEW.state NOT IN ('reserved keyed',
    'keyed flashing', 'flashing flashed', 'flashed verified', 'verified exported', 'exported certified',
    'certified installed', 'reserved void', 'keyed void', 'flashing void', 'flashed void', 'verified void');
  SELECT RAISE(ABORT, 'id and time of reservation never change')
    WHERE NEW.id <> OLD.id OR NEW.reserved_at <> OLD.reserved_at;
  SELECT RAISE(ABORT, 'csr and spki are set when keyed and never change')
    WHERE NEW.state <> 'keyed' AND (NEW.csr IS NOT OLD.csr OR NEW.spki IS NOT OLD.spki);
  SELECT RAISE(ABORT, 'uid, probe and firmware are set when flashing and never change')
    WHERE NEW.state <> 'flashing'
    AND (NEW.uid IS NOT OLD.uid OR NEW.probe IS NOT OLD.probe OR NEW.firmware IS NOT OLD.firmware);
  SELECT RAISE(ABORT, 'proof and lock are set when verified and never change')
    WHERE NEW.state <> 'verified' AND (NEW.proof IS NOT OLD.proof OR NEW.locked <> OLD.locked);
  SELECT RAISE(ABORT, 'key-in-use') WHERE EXISTS (
    SELECT 1 FROM unit WHERE spki = NEW.spki AND id <> OLD.id);
  SELECT RAISE(ABORT, 'board-in-use') WHERE NEW.state <> 'void' AND EXISTS (
    SELECT 1 FROM unit WHERE uid = NEW.uid AND state <> 'void' AND id <> OLD.id);
END`;

const leafAdded = `
CREATE TRIGGER leaf_added BEFORE INSERT ON log
WHEN NEW.n IS NOT (SELECT coalesce(max(n) + 1, 0) FROM log)
BEGIN SELECT RAISE(ABORT, 'the log has no gap and no second leaf in a place'); END`;

const never = (act: 'UPDATE' | 'DELETE', table: string) =>
  `CREATE TRIGGER ${table}_never_${act} BEFORE ${act} ON ${table} BEGIN
    SELECT RAISE(ABORT, '${act} is never done to ${table}'); END`;

export const name = '0001-units';

export const statements: readonly string[] = [
  lease,
  unit,
  "CREATE UNIQUE INDEX unit_uid_live ON unit (uid) WHERE state <> 'void'",
  log,
  leaseAdded,
  leaseChanged,
  unitAdded,
  unitChanged,
  leafAdded,
  never('DELETE', 'lease'),
  never('DELETE', 'unit'),
  never('DELETE', 'log'),
  never('UPDATE', 'log'),
];
