import type { Command } from 'commander';
import type { Session } from '../session.ts';

export function addImport(program: Command, session: Session): void {
  program
    .command('import')
    .description('take the certificates that the CA sends: all of the batch, or nothing')
    .argument('<dir>', 'directory of the batch')
    .action((path: string) => run(path, session));
}

async function run(path: string, { station, ui }: Session): Promise<void> {
  const { importBatch } = await import('../../src/import-batch.ts');
  const { openStation } = await import('../../src/station-directory.ts');
  const open = await openStation(station);
  try {
    const { result, sequence, sha256, units } = await importBatch(open, path);
    const text = result === 'already' ? 'was taken before' : `${units.length} certificates`;
    ui.result(
      { type: 'import', result, sequence, manifest: sha256, units },
      `batch ${sequence} from the CA: ${text}`,
    );
  } finally {
    await open.registry.close();
  }
}
