import { FirmwareRefused, type Segment } from './segments.ts';

// Offsets and values: Tool Interface Standard, ELF Specification 1.2 (1995), and ELF for the Arm Architecture.
const magic = Buffer.from('\x7fELF', 'latin1');
const identity = { class32: 1, littleEndian: 1, version: 1 };
const executable = 2;
const arm = 40;
const fileHeaderLength = 52;
const programHeaderLength = 32;
const loadable = 1;
const addressSpace = 2 ** 32;

export function isElf(file: Buffer): boolean {
  return file.subarray(0, magic.length).equals(magic);
}

/**
 * What a 32-bit little-endian Arm executable puts into memory, at physical addresses: that is where
 * initialised data waits in flash. In file order and not joined.
 * @throws FirmwareRefused
 */
export function parseElf(file: Buffer): Segment[] {
  if (file.length < fileHeaderLength) throw new FirmwareRefused('its ELF header is cut short');
  checkTarget(file);
  return programHeaders(file)
    .map((header) => loadedBy(header, file))
    .filter(({ bytes }) => bytes.length > 0);
}

function checkTarget(file: Buffer): void {
  if (file.readUInt8(4) !== identity.class32) throw new FirmwareRefused('it is not a 32-bit ELF file');
  if (file.readUInt8(5) !== identity.littleEndian) throw new FirmwareRefused('it is not little-endian');
  if (file.readUInt8(6) !== identity.version || file.readUInt32LE(20) !== identity.version)
    throw new FirmwareRefused('its ELF version is unknown');
  if (file.readUInt16LE(16) !== executable)
    throw new FirmwareRefused('it is not an executable: link it first');
  if (file.readUInt16LE(18) !== arm) throw new FirmwareRefused('it is not for Arm');
}

function programHeaders(file: Buffer): Buffer[] {
  const start = file.readUInt32LE(28);
  const count = file.readUInt16LE(44);
  if (count > 0 && file.readUInt16LE(42) !== programHeaderLength)
    throw new FirmwareRefused('its program headers are not 32 bytes long');
  if (start + count * programHeaderLength > file.length)
    throw new FirmwareRefused('its program headers are cut short');
  return Array.from({ length: count }, (_, index) => {
    const at = start + index * programHeaderLength;
    return file.subarray(at, at + programHeaderLength);
  });
}

function loadedBy(header: Buffer, file: Buffer): Segment {
  const address = header.readUInt32LE(12);
  if (header.readUInt32LE(0) !== loadable) return { address, bytes: new Uint8Array() };
  const offset = header.readUInt32LE(4);
  const length = header.readUInt32LE(16);
  if (length > header.readUInt32LE(20))
    throw new FirmwareRefused('a segment is larger in the file than in memory');
  if (offset + length > file.length) throw new FirmwareRefused('a segment is cut short');
  if (address + length > addressSpace) throw new FirmwareRefused('a segment ends above 0xFFFFFFFF');
  return { address, bytes: file.subarray(offset, offset + length) };
}
