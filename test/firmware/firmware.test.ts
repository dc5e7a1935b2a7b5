import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parseFirmware, readFirmware } from '../../src/firmware/firmware.ts';
import { toIntelHex } from '../../src/firmware/intel-hex.ts';
import { endRecord, flash, record, simpleElf } from './files.ts';
import { plain } from './segments.ts';

const image = Buffer.from([0, 0, 4, 0x20, 1, 1, 0, 0]);
const hex = `${record(0, 0, ...image)}\n${endRecord}\n`;
const folder = mkdtempSync(join(tmpdir(), 'lineside-firmware-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the format of a firmware file is told by its content', () => {
  test.each([
    ['ihex', 'Intel HEX', Buffer.from(hex)],
    ['ihex', 'Intel HEX after blank lines', Buffer.from(`\r\n\t \n${hex}`)],
    ['elf', 'ELF', simpleElf(0, image)],
    ['bin', 'anything else', image],
  ])('%s: %s', (format, _, file) => {
    const firmware = parseFirmware('f', file, flash);
    expect({ ...firmware, segments: plain(firmware.segments) }).toEqual({
      path: 'f',
      format,
      segments: [{ address: 0, bytes: [...image] }],
      sha256: createHash('sha256').update(file).digest('hex'),
      size: file.length,
    });
  });

  test('a raw binary is placed at the start of the flash', () => {
    const stm32 = {
      chip: 'stm32f405',
      start: 0x08000000,
      end: 0x08100000,
      factoryDataStart: 0x080c0000,
      factoryDataEnd: 0x08100000,
    };
    expect(plain(parseFirmware('f', image, stm32).segments)).toEqual([
      { address: 0x08000000, bytes: [...image] },
    ]);
  });

  test.each([
    ['an empty file', Buffer.alloc(0), 'it has no bytes to program'],
    [
      'text that is not Intel HEX, as S-records',
      Buffer.from('S00600004844521B\n'),
      'it is text, but not Intel HEX',
    ],
    ['Intel HEX with a byte that is no text', Buffer.from(`${hex}\0`), 'line 3 is not an Intel HEX record'],
    ['an ELF magic and nothing more', Buffer.from('\x7fELF'), 'its ELF header is cut short'],
    ['an ELF file without bytes to load', simpleElf(0, Buffer.alloc(0)), 'it has no bytes to program'],
  ])('%s is refused', (_, file, reason) => {
    const fails = () => parseFirmware('f', file, flash);
    expect(fails).toThrow(
      expect.objectContaining({ code: 'firmware-invalid', facts: { path: 'f', reason } }),
    );
  });
});

describe('firmware lies inside the flash and off the factory pages', () => {
  test.each([
    ['up to the factory pages', 0xfbff8],
    ['right after them', 0xfe000],
    ['up to the end of the flash', 0xffff8],
  ])('%s it is taken', (_, address) => {
    expect(parseFirmware('f', at(address), flash).segments).toHaveLength(1);
  });

  test.each([
    ['one byte past the end of the flash', 0xffff9, '0x00100000'],
    ['far above the flash', 0x20000000, '0x20000000'],
  ])('%s it is refused', (_, address, named) => {
    expectOutside(at(address), flash, named);
  });

  test('one byte before the start of the flash it is refused', () => {
    expectOutside(at(0xfff), { ...flash, start: 0x1000 }, '0x00000FFF');
  });

  test.each([
    ['with its last byte', 0xfbff9, '0x000FC000'],
    ['in the middle', 0xfd000, '0x000FD000'],
    ['with its first byte', 0xfdfff, '0x000FDFFF'],
  ])('over the factory pages %s it is refused', (_, address, named) => {
    const facts = { path: 'f', address: named, chip: 'nrf52840', limit: '0x000FC000' };
    const error = expect.objectContaining({ code: 'firmware-overlaps-factory-data', facts });
    expect(() => parseFirmware('f', at(address), flash)).toThrow(error);
  });
});

describe('readFirmware', () => {
  test('reads a file, also through a symbolic link', async () => {
    writeFileSync(join(folder, 'app.hex'), hex);
    symlinkSync('app.hex', join(folder, 'latest.hex'));
    const firmware = await readFirmware(join(folder, 'latest.hex'), flash);
    expect(firmware.sha256).toBe(createHash('sha256').update(hex).digest('hex'));
  });

  test.each([
    ['a missing file', 'missing', () => {}, 'no such file or directory'],
    ['a directory', '.', () => {}, 'it is not a regular file'],
    [
      'a FIFO without a writer',
      'fifo',
      (path: string) => execFileSync('mkfifo', [path]),
      'it is not a regular file',
    ],
    ['a device', '/dev/zero', () => {}, 'it is not a regular file'],
    ['a file below a file', 'app.hex/x', () => {}, 'not a directory'],
    ['a file that grows while it is read', '/proc/self/status', () => {}, 'it changed while it was read'],
  ])('refuses %s, and does not wait', async (_, name, make, reason) => {
    const path = name.startsWith('/') ? name : join(folder, name);
    make(path);
    const error = expect.objectContaining({ code: 'firmware-unreadable', facts: { path, reason } });
    await expect(readFirmware(path, flash)).rejects.toThrow(error);
  });

  test('refuses a file larger than 16 MiB', async () => {
    const path = join(folder, 'large.bin');
    writeFileSync(path, image);
    truncateSync(path, 16 * 1024 * 1024 + 1);
    const facts = { path, reason: 'it is larger than 16 MiB' };
    const error = expect.objectContaining({ code: 'firmware-invalid', facts });
    await expect(readFirmware(path, flash)).rejects.toThrow(error);
  });
});

function at(address: number): Buffer {
  return Buffer.from(toIntelHex([{ address, bytes: image }]));
}

function expectOutside(file: Buffer, map: typeof flash, address: string): void {
  const facts = { path: 'f', address, chip: map.chip };
  const error = expect.objectContaining({ code: 'firmware-outside-flash', facts });
  expect(() => parseFirmware('f', file, map)).toThrow(error);
}
