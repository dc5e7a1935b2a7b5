import { type Command, InvalidArgumentError } from 'commander';
import type { Session } from '../session.ts';

export function addExport(program: Command, session: Session): void {
  program
    .command('export')
    .description('write the certificate requests of all verified units to a stick, as one batch for the CA')
    .argument('<outdir>', 'new directory for the batch')
    .option('--batch <number>', 'write this batch again, for example because the stick was lost', parseNumber)
    .action((target: string, options: { batch?: number }) => run(target, options.batch ?? 'next', session));
}

async function run(target: string, which: number | 'next', { station, ui }: Session): Promise<void> {
  const { exportBatch } = await import('../../src/export-batch.ts');
  const { openStation } = await import('../../src/station-directory.ts');
  const open = await openStation(station);
  try {
    const { sequence, sha256, units } = await exportBatch(station, open, target, which);
    const text = `batch ${sequence} in ${target}: ${units.length} requests, manifest ${sha256}`;
    ui.result({ type: 'export', directory: target, sequence, manifest: sha256, units }, text);
  } finally {
    await open.registry.close();
  }
}

function parseNumber(text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new InvalidArgumentError('from 1');
  return Number(text);
}
