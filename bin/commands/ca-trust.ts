import type { Command } from 'commander';
import { fingerprint } from '../../src/note.ts';
import { atWork, type Desk } from '../desk.ts';

export function addCaTrust(ca: Command, desk: () => Desk): void {
  ca.command('trust')
    .description('show the fingerprint of a station and, once you have compared it, take its requests')
    .argument('<station>', 'verifier key of the station (station.vkey), or the directory it is in')
    .option('--fingerprint <digits>', 'the fingerprint as the station told it, by another way than the file')
    .action((path: string, options: { fingerprint?: string }) => run(path, options.fingerprint, desk()));
}

/** Nothing is trusted by what came with it: without the fingerprint from elsewhere the key is only shown. */
async function run(path: string, told: string | undefined, desk: Desk): Promise<void> {
  const { mustHaveFingerprint, readVerifierFile } = await import('../../src/verifier-file.ts');
  const { insertStation } = await import('../../src/ca/ledger/station-rows.ts');
  const { ui } = desk.session;
  const station = await readVerifierFile(path, 'station.vkey');
  const { name, hash, line } = station;
  const found = fingerprint(station);
  const record = { type: 'station', name, hash, fingerprint: found };
  if (told === undefined) {
    ui.result({ ...record, trusted: false }, `station ${name}: ${found}`);
    ui.say('if the station tells the same digits, run this again with --fingerprint DIGITS');
    return;
  }
  mustHaveFingerprint(station, told, path);
  await atWork(desk, async ({ ledger }, { officer, now }) => {
    await ledger.transaction((sql) => insertStation(sql, { name, verifier: line }, officer, now));
    ui.result({ ...record, trusted: true }, `station ${name} is trusted: ${found}`);
  });
}
