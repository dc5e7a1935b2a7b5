/**
 * Who may ask the CA for certificates, for which ids, and what went to and fro. Rules as in 0001: those an officer can
 * meet raise their error code, and those that a UNIQUE holds are raised by a trigger too.
 */
const isSha256 = (column: string) => `octet_length(${column}) = 64 AND ${column} NOT GLOB '*[^0-9a-f]*'`;
const isTime = (column: string) =>
  `octet_length(${column}) = 24 AND ${column} GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T*Z'`;
const isWord = (column: string, most: number) =>
  `length(${column}) >= 1 AND octet_length(${column}) <= ${most}`;
const noBatch = '0'.repeat(64);

const station = `
CREATE TABLE station (
  name TEXT PRIMARY KEY NOT NULL CHECK (name GLOB '[a-z0-9]*' AND name NOT GLOB '*[^a-z0-9-]*'
    AND octet_length(name) <= 32),
  -- name+hash+key, for the life of the station
  verifier TEXT NOT NULL UNIQUE CHECK (octet_length(verifier) BETWEEN 55 AND 256),
  officer TEXT NOT NULL CHECK (${isWord('officer', 64)}),
  trusted_at TEXT NOT NULL CHECK (${isTime('trusted_at')})
) STRICT`;

const lease = `
CREATE TABLE lease (
  place INTEGER PRIMARY KEY,
  station TEXT NOT NULL REFERENCES station (name),
  first INTEGER NOT NULL CHECK (first >= 1),
  last INTEGER NOT NULL CHECK (last BETWEEN first AND 4294967294),
  officer TEXT NOT NULL CHECK (${isWord('officer', 64)}),
  granted_at TEXT NOT NULL CHECK (${isTime('granted_at')})
) STRICT`;

const batch = `
CREATE TABLE batch (
  station TEXT NOT NULL REFERENCES station (name),
  -- requests come in, certificates go out
  direction TEXT NOT NULL CHECK (direction IN ('in', 'out')),
  sequence INTEGER NOT NULL CHECK (sequence BETWEEN 1 AND 4294967295),
  -- its very bytes, so that an answer can be written again as it was
  manifest BLOB NOT NULL CHECK (length(manifest) BETWEEN 2 AND 65536),
  sha256 TEXT NOT NULL UNIQUE CHECK (${isSha256('sha256')}),
  previous TEXT NOT NULL CHECK (${isSha256('previous')}),
  -- of an answer: the SHA-256 of the batch of requests it answers, null if it answers none
  answers TEXT UNIQUE REFERENCES batch (sha256),
  officer TEXT NOT NULL CHECK (${isWord('officer', 64)}),
  at TEXT NOT NULL CHECK (${isTime('at')}),
  PRIMARY KEY (station, direction, sequence),
  CONSTRAINT only_out_answers CHECK (direction = 'out' OR answers IS NULL)
) STRICT`;

const batchCertificate = `
CREATE TABLE batch_certificate (
  station TEXT NOT NULL,
  -- of the batch that went out under this number
  sequence INTEGER NOT NULL,
  place INTEGER NOT NULL CHECK (place >= 1),
  serial TEXT NOT NULL REFERENCES certificate (serial),
  PRIMARY KEY (station, sequence, place)
) STRICT, WITHOUT ROWID`;

const batchFile = `
CREATE TABLE batch_file (
  station TEXT NOT NULL,
  -- of the batch that went out under this number, without its certificates
  sequence INTEGER NOT NULL,
  name TEXT NOT NULL CHECK (name IN ('chain.pem', 'anchors.pem', 'checkpoint')),
  bytes BLOB NOT NULL,
  PRIMARY KEY (station, sequence, name)
) STRICT`;

/** How far the log of a station had come with each of its batches, which the CA has signed for. */
const witness = `
CREATE TABLE witness (
  station TEXT NOT NULL REFERENCES station (name),
  sequence INTEGER NOT NULL CHECK (sequence BETWEEN 1 AND 4294967295),
  epoch INTEGER NOT NULL CHECK (epoch BETWEEN 1 AND 4294967295),
  size INTEGER NOT NULL CHECK (size >= 0),
  root TEXT NOT NULL CHECK (${isSha256('root')}),
  PRIMARY KEY (station, sequence)
) STRICT`;

const witnessAdded = `
CREATE TRIGGER witness_added BEFORE INSERT ON witness BEGIN
  SELECT RAISE(ABORT, 'a log never becomes shorter') WHERE EXISTS (
    SELECT 1 FROM witness WHERE station = NEW.station
    AND (sequence >= NEW.sequence OR epoch > NEW.epoch OR size > NEW.size));
END`;

/** Where the CA before this one stood with a station: its batches are not here, and the numbers go on. */
const inherited = `
CREATE TABLE inherited (
  station TEXT NOT NULL REFERENCES station (name),
  direction TEXT NOT NULL CHECK (direction IN ('in', 'out')),
  sequence INTEGER NOT NULL CHECK (sequence BETWEEN 1 AND 4294967295),
  sha256 TEXT NOT NULL CHECK (${isSha256('sha256')}),
  PRIMARY KEY (station, direction)
) STRICT`;

/** The CA whose devices this one has taken over, if it has. */
const succession = `
CREATE TABLE succession (
  place INTEGER PRIMARY KEY CHECK (place = 1),
  -- verifier key of the CA before
  predecessor TEXT NOT NULL CHECK (octet_length(predecessor) BETWEEN 55 AND 256),
  -- of its certificates and CRLs in the life of a device
  generation INTEGER NOT NULL CHECK (generation BETWEEN 2 AND 4294967295),
  -- DER of its trust anchors; devices go on believing that of its brokers during the change-over if it is here
  device_anchor BLOB NOT NULL CHECK (length(device_anchor) BETWEEN 200 AND 4096),
  broker_anchor BLOB CHECK (length(broker_anchor) BETWEEN 200 AND 4096),
  officer TEXT NOT NULL CHECK (${isWord('officer', 64)}),
  at TEXT NOT NULL CHECK (${isTime('at')})
) STRICT`;

/** Certificates that take the place of one of the CA before, serial by serial. */
const reissue = `
CREATE TABLE reissue (
  serial TEXT PRIMARY KEY NOT NULL REFERENCES certificate (serial),
  replaces TEXT NOT NULL UNIQUE CHECK (octet_length(replaces) = 32 AND replaces NOT GLOB '*[^0-9a-f]*')
) STRICT`;

const reissueAdded = `
CREATE TRIGGER reissue_added BEFORE INSERT ON reissue BEGIN
  SELECT RAISE(ABORT, 'a certificate is replaced once, and by one') WHERE EXISTS (
    SELECT 1 FROM reissue WHERE serial = NEW.serial OR replaces = NEW.replaces);
  SELECT RAISE(ABORT, 'only a successor replaces') WHERE NOT EXISTS (SELECT 1 FROM succession);
END`;

const successionAdded = `
CREATE TRIGGER succession_added BEFORE INSERT ON succession BEGIN
  SELECT RAISE(ABORT, 'succession-differs') WHERE EXISTS (SELECT 1 FROM succession)
    OR EXISTS (SELECT 1 FROM certificate WHERE issuer = 'device') OR EXISTS (SELECT 1 FROM station);
END`;

const inheritedAdded = `
CREATE TRIGGER inherited_added BEFORE INSERT ON inherited BEGIN
  SELECT RAISE(ABORT, 'what is inherited comes before all else') WHERE NOT EXISTS (SELECT 1 FROM succession)
    OR EXISTS (SELECT 1 FROM batch WHERE station = NEW.station)
    OR EXISTS (SELECT 1 FROM inherited WHERE station = NEW.station AND direction = NEW.direction);
END`;

/** The last batch of a station in a direction, by this CA or the one before. */
const last = (column: string) => `coalesce(
    (SELECT ${column} FROM batch WHERE station = NEW.station AND direction = NEW.direction
      ORDER BY sequence DESC LIMIT 1),
    (SELECT ${column} FROM inherited WHERE station = NEW.station AND direction = NEW.direction))`;

const stationAdded = `
CREATE TRIGGER station_added BEFORE INSERT ON station BEGIN
  SELECT RAISE(ABORT, 'station-differs') WHERE EXISTS (
    SELECT 1 FROM station WHERE name = NEW.name OR verifier = NEW.verifier);
END`;

const leaseAdded = `
CREATE TRIGGER lease_added BEFORE INSERT ON lease BEGIN
  SELECT RAISE(ABORT, 'lease-overlaps') WHERE EXISTS (
    SELECT 1 FROM lease WHERE first <= NEW.last AND last >= NEW.first);
  SELECT RAISE(ABORT, 'a lease never takes the place of another') WHERE EXISTS (
    SELECT 1 FROM lease WHERE place = NEW.place);
END`;

const batchAdded = `
CREATE TRIGGER batch_added BEFORE INSERT ON batch BEGIN
  SELECT RAISE(ABORT, 'the batches of a station in one direction have no gap and none twice')
    WHERE NEW.sequence <> coalesce(${last('sequence')}, 0) + 1;
  SELECT RAISE(ABORT, 'a batch follows the one before it')
    WHERE NEW.previous <> coalesce(${last('sha256')}, '${noBatch}');
  SELECT RAISE(ABORT, 'a batch is on record once') WHERE EXISTS (SELECT 1 FROM batch WHERE sha256 = NEW.sha256);
  SELECT RAISE(ABORT, 'requests are answered once') WHERE EXISTS (
    SELECT 1 FROM batch WHERE answers = NEW.answers);
  SELECT RAISE(ABORT, 'an answer goes to the station that asked') WHERE NEW.answers IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM batch WHERE sha256 = NEW.answers AND station = NEW.station AND direction = 'in');
END`;

/** What belongs to a batch is added with it, once, and not after the next was made. */
const belongsToLast = (table: string, key: string) => `
CREATE TRIGGER ${table}_added BEFORE INSERT ON ${table} BEGIN
  SELECT RAISE(ABORT, 'it belongs to the last batch that went to its station') WHERE NEW.sequence IS NOT (
    SELECT max(sequence) FROM batch WHERE station = NEW.station AND direction = 'out');
  SELECT RAISE(ABORT, 'it is in the batch already') WHERE EXISTS (SELECT 1 FROM ${table}
    WHERE station = NEW.station AND sequence = NEW.sequence AND ${key} = NEW.${key});
END`;

const never = (act: 'UPDATE' | 'DELETE', table: string) =>
  `CREATE TRIGGER ${table}_never_${act} BEFORE ${act} ON ${table} BEGIN
    SELECT RAISE(ABORT, '${act} is never done to ${table}'); END`;

const tables = [
  'station',
  'lease',
  'batch',
  'batch_certificate',
  'batch_file',
  'inherited',
  'succession',
  'reissue',
  'witness',
];

export const name = '0002-exchange';

export const statements: readonly string[] = [
  station,
  lease,
  batch,
  batchCertificate,
  batchFile,
  witness,
  witnessAdded,
  inherited,
  succession,
  reissue,
  reissueAdded,
  successionAdded,
  inheritedAdded,
  stationAdded,
  leaseAdded,
  batchAdded,
  belongsToLast('batch_certificate', 'place'),
  belongsToLast('batch_file', 'name'),
  ...tables.flatMap((table) => [never('UPDATE', table), never('DELETE', table)]),
];
