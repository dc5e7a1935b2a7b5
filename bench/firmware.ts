import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeviceLine } from '../src/uart/device-line.ts';
import { identity, installCredentials, joinBroker, proveKey } from '../src/uart/self-test.ts';
import { runBroker } from '../test/device/broker.ts';
import { credentialsPage, id, identityPage } from '../test/device/pages.ts';
import { Pki } from '../test/device/pki.ts';
import { addressOf, elf, flashAddress, flashImage, startHalted } from '../test/support/qemu.ts';

/*
 * What the reference firmware takes of a Cortex-M4, beside the budget: ROM from the linked image; RAM from a run in QEMU
 * in which a device proves its key, is installed over UART, joins a broker over TLS 1.3 and gets a message. The stack is
 * painted before the first instruction and the heap once it is set up; what is not paint any more was used.
 */

const budget = { rom: 120_000, ram: 50_000 };
/** Symbols of fixtures/firmware/qemu/port.c: its arena, and what only QEMU needs. */
const sizeOf = (symbol: string) =>
  Number.parseInt(new RegExp(`^\\w+ (\\w+) \\w ${symbol}$`, 'm').exec(symbols)?.[1] ?? '', 16);
const symbols = execFileSync('arm-none-eabi-nm', ['--print-size', elf], { encoding: 'latin1' });
const [text = 0, data = 0, bss = 0] =
  execFileSync('arm-none-eabi-size', [elf], { encoding: 'latin1' })
    .split('\n')[1]
    ?.trim()
    .split(/\s+/)
    .map(Number) ?? [];

const heap = { at: addressOf('arena'), length: sizeOf('arena') };
const stackLimit = addressOf('stack_limit');
const stack = { at: stackLimit, length: addressOf('stack_top') - stackLimit };
const paint = 0xa5;

const workshop = mkdtempSync(join(tmpdir(), 'lineside-bench-firmware-'));
const pki = new Pki(workshop);
const [devices, brokers] = [pki.ca('devices'), pki.ca('brokers')];
const intermediate = pki.ca('devices 2026', devices);
const device = pki.device(intermediate, id);
const broker = await runBroker(workshop, pki.broker(brokers), devices);

const board = await startHalted();
await board.gdb.write(flashAddress, flashImage({ identity: identityPage(device) }));
await board.gdb.write(addressOf('noise'), randomBytes(1024));
await board.gdb.write(stack.at, Buffer.alloc(stack.length, paint));
await board.gdb.reset();
board.gdb.run();

const line = await DeviceLine.open(board.path);
await identity(line);
await board.gdb.halt();
const inUse = await heapTop(0);
await board.gdb.write(heap.at + inUse, Buffer.alloc(heap.length - inUse, paint));
board.gdb.run();
await proveKey(line, { id, publicKey: device.publicKey });
await installCredentials(line, credentialsPage(device, brokers, { intermediates: [intermediate.der] }));
const heard = await broker.listen(`private/${id}/up`);
await board.connectTo(broker.port);
const report = await joinBroker(line);
if (report.step !== 'done') throw new Error(`the device did not come online: ${JSON.stringify(report)}`);
await heard.next();
await broker.publish(`private/${id}/down`, 'ping');
await heard.next();
await line.close();

await board.gdb.halt();
const heapUsed = await heapTop(paint);
const stackUsed =
  stack.length - (await board.gdb.read(stack.at, stack.length)).findIndex((byte) => byte !== paint);
await Promise.all([board.stop(), broker.stop()]);
rmSync(workshop, { recursive: true });

/** Bytes up to the last that is not this one: mbedTLS clears its heap at first, and its lowest block is the next used. */
async function heapTop(untouched: number): Promise<number> {
  return (await board.gdb.read(heap.at, heap.length)).findLastIndex((byte) => byte !== untouched) + 1;
}

const forQemu = sizeOf('installed') + sizeOf('noise');
const fixed = data + bss - heap.length - forQemu;
const row = (name: string, bytes: number, limit?: number) => {
  const of = limit === undefined ? '' : `${((100 * bytes) / limit).toFixed(0).padStart(5)} % of ${limit}`;
  process.stdout.write(`${name.padEnd(54)} ${String(bytes).padStart(7)} B${of}\n`);
};
row('ROM: the whole image, with mbedTLS, MQTT and UART', text + data, budget.rom);
row('RAM: all of the following', fixed + heapUsed + stackUsed, budget.ram);
row('  fixed, a factory page in the making among it', fixed);
row(`  heap, highest byte used of ${heap.length}`, heapUsed);
row('  stack, deepest byte used', stackUsed);
row('not counted: what QEMU has in RAM in place of flash', forQemu);
