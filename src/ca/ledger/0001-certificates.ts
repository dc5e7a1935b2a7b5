/**
 * The rules of the ledger, held by the database itself, like those of the registry: what a rule refuses raises its
 * error code, and rules that a UNIQUE holds are raised by a trigger as well, because INSERT OR REPLACE would
 * delete the other row. Nothing in it is ever changed or deleted: a CA only ever adds.
 */
const isSha256 = (column: string) => `octet_length(${column}) = 64 AND ${column} NOT GLOB '*[^0-9a-f]*'`;
const isTime = (column: string) =>
  `octet_length(${column}) = 24 AND ${column} GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T*Z'`;
const isWord = (column: string, most: number) =>
  `length(${column}) >= 1 AND octet_length(${column}) <= ${most}`;

/** A device id and its one key and one request, as the CA first saw them. */
const device = `
CREATE TABLE device (
  id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 4294967294),
  spki TEXT NOT NULL UNIQUE CHECK (${isSha256('spki')}),
  csr TEXT NOT NULL UNIQUE CHECK (${isSha256('csr')}),
  -- the request itself, so that another CA can certify every device again without its station
  request BLOB NOT NULL CHECK (length(request) BETWEEN 100 AND 1024),
  UNIQUE (id, spki)
) STRICT`;

const certificate = `
CREATE TABLE certificate (
  serial TEXT PRIMARY KEY NOT NULL CHECK (octet_length(serial) = 32 AND serial NOT GLOB '*[^0-9a-f]*'
    AND serial GLOB '[4-7]*'),
  issuer TEXT NOT NULL CHECK (issuer IN ('device', 'broker')),
  device INTEGER,
  spki TEXT NOT NULL CHECK (${isSha256('spki')}),
  -- null for a broker whose key was made here
  csr TEXT CHECK (${isSha256('csr')}),
  der BLOB NOT NULL CHECK (length(der) BETWEEN 200 AND 8192),
  -- null for what was issued one by one
  station TEXT CHECK (${isWord('station', 32)}),
  officer TEXT NOT NULL CHECK (${isWord('officer', 64)}),
  issued_at TEXT NOT NULL CHECK (${isTime('issued_at')}),
  FOREIGN KEY (device, spki) REFERENCES device (id, spki),
  CONSTRAINT device_of_device_ca CHECK ((issuer = 'device') = (device IS NOT NULL)),
  CONSTRAINT device_has_request CHECK (issuer = 'broker' OR csr IS NOT NULL)
) STRICT`;

const revocation = `
CREATE TABLE revocation (
  serial TEXT PRIMARY KEY NOT NULL REFERENCES certificate (serial),
  reason TEXT NOT NULL CHECK (reason IN ('unspecified', 'keyCompromise', 'affiliationChanged', 'superseded',
    'cessationOfOperation', 'privilegeWithdrawn')),
  officer TEXT NOT NULL CHECK (${isWord('officer', 64)}),
  revoked_at TEXT NOT NULL CHECK (${isTime('revoked_at')})
) STRICT`;

const crl = `
CREATE TABLE crl (
  issuer TEXT NOT NULL CHECK (issuer IN ('device', 'broker')),
  number INTEGER NOT NULL CHECK (number >= 1),
  this_update TEXT NOT NULL CHECK (${isTime('this_update')}),
  next_update TEXT NOT NULL CHECK (${isTime('next_update')} AND next_update > this_update),
  sha256 TEXT NOT NULL CHECK (${isSha256('sha256')}),
  officer TEXT NOT NULL CHECK (${isWord('officer', 64)}),
  PRIMARY KEY (issuer, number)
) STRICT`;

const deviceAdded = `
CREATE TRIGGER device_added BEFORE INSERT ON device BEGIN
  SELECT RAISE(ABORT, 'id-has-other-key') WHERE EXISTS (
    SELECT 1 FROM device WHERE id = NEW.id AND spki <> NEW.spki);
  SELECT RAISE(ABORT, 'key-has-other-id') WHERE EXISTS (
    SELECT 1 FROM device WHERE spki = NEW.spki AND id <> NEW.id);
  SELECT RAISE(ABORT, 'key-has-other-role') WHERE EXISTS (
    SELECT 1 FROM certificate WHERE spki = NEW.spki AND issuer = 'broker');
  SELECT RAISE(ABORT, 'request-changed') WHERE EXISTS (
    SELECT 1 FROM device WHERE id = NEW.id OR csr = NEW.csr);
END`;

const certificateAdded = `
CREATE TRIGGER certificate_added BEFORE INSERT ON certificate BEGIN
  SELECT RAISE(ABORT, 'a serial number is never issued twice') WHERE EXISTS (
    SELECT 1 FROM certificate WHERE serial = NEW.serial);
  SELECT RAISE(ABORT, 'key-has-other-role') WHERE NEW.issuer = 'broker' AND EXISTS (
    SELECT 1 FROM device WHERE spki = NEW.spki);
  SELECT RAISE(ABORT, 'request-changed') WHERE NEW.issuer = 'device' AND NOT EXISTS (
    SELECT 1 FROM device WHERE id = NEW.device AND csr = NEW.csr);
END`;

const revocationAdded = `
CREATE TRIGGER revocation_added BEFORE INSERT ON revocation BEGIN
  SELECT RAISE(ABORT, 'already-revoked') WHERE EXISTS (SELECT 1 FROM revocation WHERE serial = NEW.serial);
END`;

const crlAdded = `
CREATE TRIGGER crl_added BEFORE INSERT ON crl
WHEN NEW.number IS NOT (SELECT coalesce(max(number) + 1, 1) FROM crl WHERE issuer = NEW.issuer)
BEGIN SELECT RAISE(ABORT, 'CRL numbers have no gap and none is used twice'); END`;

const never = (act: 'UPDATE' | 'DELETE', table: string) =>
  `CREATE TRIGGER ${table}_never_${act} BEFORE ${act} ON ${table} BEGIN
    SELECT RAISE(ABORT, '${act} is never done to ${table}'); END`;

export const name = '0001-certificates';

export const statements: readonly string[] = [
  device,
  certificate,
  'CREATE INDEX certificate_issuer ON certificate (issuer, issued_at)',
  'CREATE INDEX certificate_device ON certificate (device, issued_at)',
  'CREATE INDEX certificate_csr ON certificate (csr)',
  "CREATE INDEX certificate_broker_spki ON certificate (spki) WHERE issuer = 'broker'",
  revocation,
  crl,
  deviceAdded,
  certificateAdded,
  revocationAdded,
  crlAdded,
  ...['device', 'certificate', 'revocation', 'crl'].flatMap((table) => [
    never('UPDATE', table),
    never('DELETE', table),
  ]),
];
