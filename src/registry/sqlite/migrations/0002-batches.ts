/**
 * What goes to the CA and comes from it. Rules as in 0001: those an operator can meet raise their error code, and
 * those that a UNIQUE holds are raised by a trigger too.
 */
const isSha256 = (column: string) => `octet_length(${column}) = 64 AND ${column} NOT GLOB '*[^0-9a-f]*'`;
const isTime = (column: string) =>
  `octet_length(${column}) = 24 AND ${column} GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T*Z'`;
const noBatch = '0'.repeat(64);

const authority = `
CREATE TABLE authority (
  -- the last one counts; each follows the one before it
  place INTEGER PRIMARY KEY CHECK (place >= 1),
  verifier TEXT NOT NULL UNIQUE CHECK (octet_length(verifier) BETWEEN 55 AND 256),
  trusted_at TEXT NOT NULL CHECK (${isTime('trusted_at')})
) STRICT`;

const batch = `
CREATE TABLE batch (
  direction TEXT NOT NULL CHECK (direction IN ('out', 'in')),
  sequence INTEGER NOT NULL CHECK (sequence BETWEEN 1 AND 4294967295),
  -- its very bytes, so that a batch can be written again as it was
  manifest BLOB NOT NULL CHECK (length(manifest) BETWEEN 2 AND 65536),
  sha256 TEXT NOT NULL UNIQUE CHECK (${isSha256('sha256')}),
  previous TEXT NOT NULL CHECK (${isSha256('previous')}),
  at TEXT NOT NULL CHECK (${isTime('at')}),
  -- when a batch that goes out was on its medium and read back
  written_at TEXT CHECK (${isTime('written_at')}),
  PRIMARY KEY (direction, sequence),
  CONSTRAINT only_out_is_written CHECK (direction = 'out' OR written_at IS NULL)
) STRICT`;

const batchFile = `
CREATE TABLE batch_file (
  -- of this batch, without its requests or certificates
  direction TEXT NOT NULL CHECK (direction IN ('out', 'in')),
  sequence INTEGER NOT NULL,
  name TEXT NOT NULL CHECK (name IN ('chain.pem', 'anchors.pem', 'crl.pem', 'checkpoint', 'consistency')),
  bytes BLOB NOT NULL,
  PRIMARY KEY (direction, sequence, name)
) STRICT`;

const certificate = `
CREATE TABLE certificate (
  unit INTEGER NOT NULL REFERENCES unit (id),
  generation INTEGER NOT NULL CHECK (generation BETWEEN 1 AND 4294967295),
  der BLOB NOT NULL CHECK (length(der) BETWEEN 1 AND 4096),
  serial TEXT NOT NULL UNIQUE CHECK (octet_length(serial) BETWEEN 2 AND 40 AND serial NOT GLOB '*[^0-9A-F]*'),
  -- the batch that it came in
  batch INTEGER NOT NULL,
  PRIMARY KEY (unit, generation)
) STRICT`;

const batchAdded = `
CREATE TRIGGER batch_added BEFORE INSERT ON batch BEGIN
  SELECT RAISE(ABORT, 'the batches of a direction have no gap and none twice')
    WHERE NEW.sequence <> (SELECT coalesce(max(sequence), 0) + 1 FROM batch WHERE direction = NEW.direction);
  SELECT RAISE(ABORT, 'a batch follows the one before it')
    WHERE NEW.previous <> coalesce((SELECT sha256 FROM batch WHERE direction = NEW.direction
      AND sequence = NEW.sequence - 1), '${noBatch}');
  SELECT RAISE(ABORT, 'a batch is on record once') WHERE EXISTS (SELECT 1 FROM batch WHERE sha256 = NEW.sha256);
  SELECT RAISE(ABORT, 'a batch is written before the next is made') WHERE EXISTS (
    SELECT 1 FROM batch WHERE direction = 'out' AND NEW.direction = 'out' AND written_at IS NULL);
END`;

const batchChanged = `
CREATE TRIGGER batch_changed BEFORE UPDATE ON batch
WHEN OLD.written_at IS NOT NULL OR NEW.written_at IS NULL OR NEW.direction <> OLD.direction
  OR NEW.sequence <> OLD.sequence OR NEW.manifest <> OLD.manifest OR NEW.sha256 <> OLD.sha256
  OR NEW.previous <> OLD.previous OR NEW.at <> OLD.at
BEGIN SELECT RAISE(ABORT, 'of a batch only its being written is added, and once'); END`;

const batchFileAdded = `
CREATE TRIGGER batch_file_added BEFORE INSERT ON batch_file BEGIN
  SELECT RAISE(ABORT, 'a file belongs to the last batch of its direction') WHERE NEW.sequence IS NOT (
    SELECT max(sequence) FROM batch WHERE direction = NEW.direction);
  SELECT RAISE(ABORT, 'a file of a batch is on record once') WHERE EXISTS (
    SELECT 1 FROM batch_file WHERE direction = NEW.direction AND sequence = NEW.sequence AND name = NEW.name);
END`;

const certificateAdded = `
CREATE TRIGGER certificate_added BEFORE INSERT ON certificate BEGIN
  SELECT RAISE(ABORT, 'certificate-differs') WHERE EXISTS (
    SELECT 1 FROM certificate WHERE unit = NEW.unit AND generation = NEW.generation);
  SELECT RAISE(ABORT, 'serial-in-use') WHERE EXISTS (SELECT 1 FROM certificate WHERE serial = NEW.serial);
  SELECT RAISE(ABORT, 'illegal-transition') WHERE NOT EXISTS (
    SELECT 1 FROM unit WHERE id = NEW.unit AND state IN ('exported', 'certified', 'installed'));
  SELECT RAISE(ABORT, 'a certificate comes in the batch that came in last') WHERE NEW.batch IS NOT (
    SELECT max(sequence) FROM batch WHERE direction = 'in');
END`;

/** Replaces that of 0001: more is learned, and an installed unit may be installed again. */
const unitChanged = `
CREATE TRIGGER unit_changed BEFORE UPDATE ON unit BEGIN
  SELECT RAISE(ABORT, 'illegal-transition') WHERE OLD.state || ' ' || NEW.state NOT IN ('reserved keyed',
    'keyed flashing', 'flashing flashed', 'flashed verified', 'verified exported', 'exported certified',
    'certified installed', 'installed installed', 'reserved void', 'keyed void', 'flashing void', 'flashed void',
    'verified void');
  SELECT RAISE(ABORT, 'id and time of reservation never change')
    WHERE NEW.id <> OLD.id OR NEW.reserved_at <> OLD.reserved_at;
  SELECT RAISE(ABORT, 'csr and spki are set when keyed and never change')
    WHERE NEW.state <> 'keyed' AND (NEW.csr IS NOT OLD.csr OR NEW.spki IS NOT OLD.spki);
  SELECT RAISE(ABORT, 'uid, probe and firmware are set when flashing and never change')
    WHERE NEW.state <> 'flashing'
    AND (NEW.uid IS NOT OLD.uid OR NEW.probe IS NOT OLD.probe OR NEW.firmware IS NOT OLD.firmware);
  SELECT RAISE(ABORT, 'the proof is set when verified and never changes')
    WHERE NEW.state <> 'verified' AND NEW.proof IS NOT OLD.proof;
  SELECT RAISE(ABORT, 'a lock is set when verified or installed and never undone') WHERE NEW.locked <> OLD.locked
    AND (NEW.locked < OLD.locked OR NEW.state NOT IN ('verified', 'installed'));
  SELECT RAISE(ABORT, 'the batch is set when exported and never changes')
    WHERE NEW.state <> 'exported' AND NEW.batch IS NOT OLD.batch;
  SELECT RAISE(ABORT, 'a unit is exported in the batch that is being made') WHERE NEW.state = 'exported'
    AND NOT EXISTS (SELECT 1 FROM batch WHERE direction = 'out' AND sequence = NEW.batch AND written_at IS NULL);
  SELECT RAISE(ABORT, 'certified means a certificate') WHERE NEW.state = 'certified'
    AND NOT EXISTS (SELECT 1 FROM certificate WHERE unit = NEW.id);
  SELECT RAISE(ABORT, 'installed means a certificate of that generation') WHERE NEW.state = 'installed'
    AND NOT EXISTS (SELECT 1 FROM certificate WHERE unit = NEW.id AND generation = NEW.generation);
  SELECT RAISE(ABORT, 'a device never goes back to an older generation') WHERE NEW.generation < OLD.generation;
  SELECT RAISE(ABORT, 'key-in-use') WHERE EXISTS (
    SELECT 1 FROM unit WHERE spki = NEW.spki AND id <> OLD.id);
  SELECT RAISE(ABORT, 'board-in-use') WHERE NEW.state <> 'void' AND EXISTS (
    SELECT 1 FROM unit WHERE uid = NEW.uid AND state <> 'void' AND id <> OLD.id);
END`;

const never = (act: 'UPDATE' | 'DELETE', table: string) =>
  `CREATE TRIGGER ${table}_never_${act} BEFORE ${act} ON ${table} BEGIN
    SELECT RAISE(ABORT, '${act} is never done to ${table}'); END`;

const authorityAdded = `
CREATE TRIGGER authority_added BEFORE INSERT ON authority BEGIN
  SELECT RAISE(ABORT, 'authority-differs')
    WHERE NEW.place <> (SELECT coalesce(max(place), 0) + 1 FROM authority)
    OR EXISTS (SELECT 1 FROM authority WHERE verifier = NEW.verifier);
END`;

export const name = '0002-batches';

export const statements: readonly string[] = [
  authority,
  batch,
  batchFile,
  certificate,
  `ALTER TABLE unit ADD COLUMN batch INTEGER CONSTRAINT batch_from_exported CHECK (
    (state IN ('exported', 'certified', 'installed')) = (batch IS NOT NULL))`,
  `ALTER TABLE unit ADD COLUMN generation INTEGER CONSTRAINT generation_when_installed CHECK (
    (state = 'installed') = (generation IS NOT NULL))`,
  'CREATE INDEX unit_batch ON unit (batch) WHERE batch IS NOT NULL',
  'DROP TRIGGER unit_changed',
  unitChanged,
  authorityAdded,
  batchAdded,
  batchChanged,
  batchFileAdded,
  certificateAdded,
  never('UPDATE', 'authority'),
  never('DELETE', 'authority'),
  never('DELETE', 'batch'),
  never('UPDATE', 'batch_file'),
  never('DELETE', 'batch_file'),
  never('UPDATE', 'certificate'),
  never('DELETE', 'certificate'),
];
