import { type Command, Option } from 'commander';
import type { OpenAuthority } from '../../src/authority-directory.ts';
import { LinesideError } from '../../src/errors.ts';
import type { ReissueOrder, ReissuePlan } from '../../src/reissue.ts';
import { addUnlockOptions, atWork, type Desk, unlocking, type UnlockOptions } from '../desk.ts';
import type { Ui } from '../ui.ts';

interface Options extends UnlockOptions {
  readonly from: string;
  readonly out?: string;
  readonly registry?: readonly string[];
  readonly expired?: true;
  readonly brokerAnchors: 'both' | 'new';
  readonly dryRun?: true;
}

export function addCaReissue(ca: Command, desk: () => Desk): void {
  const command = ca
    .command('reissue')
    .description(
      'certify a whole fleet anew under this CA, from the stored requests; no device key is touched',
    )
    .requiredOption('--from <dir>', 'directory of the CA whose devices and stations this one takes over')
    .option('--out <dir>', 'directory for fleet/, for the cloud, and stations/, for boards on the bench')
    .option('--registry <file...>', 'compare with what "lineside registry export" wrote at the stations')
    .option('--expired', 'certify devices whose certificate has ended too')
    .addOption(
      new Option('--broker-anchors <which>', 'whose brokers devices believe from now on')
        .choices(['both', 'new'])
        .default('both'),
    )
    .option('--dry-run', 'only say what would be done');
  addUnlockOptions(command).action((options: Options) => run(options, desk()));
}

async function run(options: Options, desk: Desk): Promise<void> {
  const { openAuthority } = await import('../../src/authority-directory.ts');
  const { out } = options;
  if (out === undefined && !options.dryRun)
    throw new LinesideError('usage', { problem: 'say where to write with --out, or --dry-run' });
  await atWork(desk, async (authority, by) => {
    const before = await openAuthority(options.from, by.now);
    try {
      const order = await orderOf(options, before);
      await (out === undefined || options.dryRun
        ? tell(order, by.now, desk)
        : reissue(authority, order, out, by, options, desk));
    } finally {
      await before.ledger.close();
    }
  });
}

async function orderOf({ registry, expired, brokerAnchors }: Options, before: OpenAuthority) {
  const { readRegistryExports } = await import('../../src/registry-export.ts');
  const units = registry === undefined ? undefined : await readRegistryExports(registry);
  return { before, units, expired: expired ? 'certify' : 'leave-out', brokerAnchors } as const;
}

async function tell(order: ReissueOrder, now: Date, { session }: Desk): Promise<void> {
  const { planReissue } = await import('../../src/reissue.ts');
  const { ui } = session;
  const plan = await planReissue(order, now, (done) => ui.progress(`checking: ${done} devices`));
  showPlan(plan, ui);
  ui.result({ type: 'reissue', dryRun: true, ...counts(plan) }, 'nothing was signed: this was a dry run');
  session.exit(exitOf(plan));
}

async function reissue(
  authority: OpenAuthority,
  order: ReissueOrder,
  out: string,
  by: Parameters<Parameters<typeof atWork>[1]>[1],
  options: Options,
  { session }: Desk,
): Promise<void> {
  const { reissueFleet } = await import('../../src/reissue.ts');
  const { ui } = session;
  const done = await reissueFleet(authority, order, out, by, {
    consent: (plan, sign) => {
      showPlan(plan, ui);
      return unlocking(authority, options, sign);
    },
    progress: (step, count) => ui.progress(`${step}: ${count} devices`),
  });
  const { generation, stations } = done;
  ui.result(
    { type: 'reissue', dryRun: false, ...counts(done), generation, stations, directory: out },
    `${done.devices} devices have a certificate of generation ${generation} for the key they have`,
    `  for the cloud: ${out}/fleet`,
    ...stations.map((station) => `  for boards at ${station}: ${out}/stations/${station}`),
  );
  session.exit(exitOf(done));
}

function showPlan(plan: ReissuePlan, ui: Ui): void {
  for (const { id, gap } of plan.gaps) ui.result({ type: 'gap', id, gap }, `left out  ${id}  ${gap}`);
  ui.say(`${plan.devices} devices to certify anew, ${plan.gaps.length} left out`);
}

function counts({ devices, gaps }: ReissuePlan) {
  return { devices, gaps: gaps.length };
}

/** A registry whose request is not the certified one was tampered with, or restored from another. */
function exitOf({ gaps }: ReissuePlan): 0 | 7 {
  return gaps.some(({ gap }) => gap === 'differs') ? 7 : 0;
}
