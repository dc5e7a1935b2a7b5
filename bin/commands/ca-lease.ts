import type { Command } from 'commander';
import { type Lease, parseLease } from '../../src/device.ts';
import { addUnlockOptions, atWork, type Desk, unlocking, type UnlockOptions } from '../desk.ts';

interface Options extends UnlockOptions {
  readonly out?: string;
}

export function addCaLease(ca: Command, desk: () => Desk): void {
  const command = ca
    .command('lease')
    .description('lease device ids to a station: it may use them, and no other station ever')
    .argument('<station>', 'name of a station that is trusted')
    .argument('<first-last>', 'for example 00010000-0001FFFF', parseLease)
    .option('--out <file>', 'write the signed lease to this new file; without it to stdout');
  addUnlockOptions(command).action((station: string, lease: Lease, options: Options) =>
    run(station, lease, options, desk()),
  );
}

/** On record before it is signed: a lease that a station has is one that the CA knows of. */
async function run(station: string, lease: Lease, options: Options, desk: Desk): Promise<void> {
  const { insertLease, knownStation } = await import('../../src/ca/ledger/station-rows.ts');
  const { writeLease } = await import('../../src/lease-note.ts');
  const { writeNewFile } = await import('../../src/new-file.ts');
  const { ui } = desk.session;
  await atWork(desk, async (authority, { officer, now }) => {
    const signer = await unlocking(authority, options, (keys) => keys.exchange());
    await authority.ledger.transaction(async (sql) => {
      await knownStation(sql, station);
      await insertLease(sql, station, lease, officer, now);
    });
    const note = writeLease(station, lease, signer);
    if (options.out !== undefined) await writeNewFile(options.out, note);
    const range = `${lease.first}-${lease.last}`;
    const lines = options.out === undefined ? note.trimEnd().split('\n') : [`lease in ${options.out}`];
    ui.result({ type: 'lease', station, lease: range, note }, ...lines);
    ui.say(`ids ${range} are leased to station ${station}`);
  });
}
