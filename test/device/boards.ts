import { onTestFinished } from 'vitest';
import { type DeviceId, parseDeviceId } from '../../src/device.ts';
import { type CredentialsPage, encodeCredentialsPage } from '../../src/factory-data/credentials-page.ts';
import { encodeIdentityPage, identityPageLength } from '../../src/factory-data/identity-page.ts';
import { LinesideError } from '../../src/errors.ts';
import { DeviceLine } from '../../src/uart/line.ts';
import { identity } from '../../src/uart/self-test.ts';
import { type EmulatedBoard, flashImage, startBoard } from '../support/qemu.ts';
import type { Certified } from './pki.ts';

export const id: DeviceId = parseDeviceId('ABCD1234');

export function identityPage(device: Certified, as = id): Uint8Array {
  const page = new Uint8Array(identityPageLength);
  encodeIdentityPage(page, as, device.publicKey, device.privateKey);
  return page;
}

export function credentialsPage(
  device: Certified,
  anchor: Certified,
  change: Partial<CredentialsPage> = {},
): Uint8Array {
  return encodeCredentialsPage({
    generation: 1,
    certificate: device.der,
    intermediates: [],
    trustAnchors: [anchor.der],
    brokerNames: ['broker.example'],
    firmwareKey: undefined,
    ...change,
  });
}

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

export async function openLine(path: string): Promise<DeviceLine> {
  const line = await DeviceLine.open(path);
  onTestFinished(() => line.close());
  return line;
}
