import { onTestFinished } from 'vitest';
import { LinesideError } from '../../src/errors.ts';
import { DeviceLine } from '../../src/uart/device-line.ts';
import { identity } from '../../src/uart/self-test.ts';
import { scratch } from '../support/program.ts';
import { type EmulatedBoard, flashImage, startBoard } from '../support/qemu.ts';
import { type Broker, runBroker } from './broker.ts';
import type { Certified } from './pki.ts';

/** A board in QEMU with these pages, and the serial line to it; both go with the test. */
export async function boardWith(pages: { identity?: Uint8Array; credentials?: Uint8Array }): Promise<{
  board: EmulatedBoard;
  line: DeviceLine;
}> {
  const board = await startBoard(flashImage(pages));
  onTestFinished(() => board.stop());
  const line = await openLine(board.path);
  // A board that boots hears nothing yet, so it is asked until it answers, as a station does.
  await identity(line).catch(mustBeRefusal);
  return { board, line };
}

function mustBeRefusal(error: unknown): void {
  if (!(error instanceof LinesideError && error.code === 'self-test-refused')) throw error;
}

/** A mosquitto with this certificate, for the devices of this CA; it goes with the test. */
export async function startBroker(own: Certified, devices: Certified): Promise<Broker> {
  const broker = await runBroker(await scratch(), own, devices);
  onTestFinished(() => broker.stop());
  return broker;
}

export async function openLine(path: string): Promise<DeviceLine> {
  const line = await DeviceLine.open(path);
  onTestFinished(() => line.close());
  return line;
}
