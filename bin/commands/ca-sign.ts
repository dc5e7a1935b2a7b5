import type { Command } from 'commander';
import type { Submission } from '../../src/sign-batch.ts';
import { addUnlockOptions, atWork, type Desk, unlocking, type UnlockOptions } from '../desk.ts';

interface Options extends UnlockOptions {
  readonly out: string;
}

export function addCaSign(ca: Command, desk: () => Desk): void {
  const command = ca
    .command('sign')
    .description('answer a batch of requests with certificates, all of it or nothing')
    .argument('<batch>', 'directory of the batch, as the station exported it')
    .requiredOption('--out <dir>', 'new directory for the answer');
  addUnlockOptions(command).action((path: string, options: Options) => run(path, options, desk()));
}

/** What is to be signed is shown before the password is asked for: to give it is to agree. */
async function run(path: string, options: Options, desk: Desk): Promise<void> {
  const { signBatch } = await import('../../src/sign-batch.ts');
  const { ui } = desk.session;
  await atWork(desk, async (authority, by) => {
    const signed = await signBatch(authority, path, options.out, by, {
      consent: (submission, sign) => {
        ui.say(...inWords(submission));
        return unlocking(authority, options, sign);
      },
      progress: (step, done) => ui.progress(`${step}: ${done} requests`),
    });
    const { result, station, sequence, sha256, certificates } = signed;
    const text = `batch ${sequence} for ${station} in ${options.out}: ${certificates} certificates`;
    ui.result(
      { type: 'signed', result, station, sequence, manifest: sha256, certificates, directory: options.out },
      result === 'again' ? `${text}, the same as before` : text,
    );
  });
}

function inWords(submission: Submission) {
  const { station, sequence, sha256, requests, first, last, absent, already, log, logBefore } = submission;
  const odd = [
    ...(log && logBefore && log.epoch > logBefore.epoch
      ? [`  its registry was restored from a backup since: epoch ${log.epoch}`]
      : []),
    ...(absent > 0 ? [`  of the ids between them ${absent} are missing`] : []),
    ...(already > 0 ? [`  ${already} of them have a certificate already and get the same again`] : []),
  ];
  return [
    `batch ${sequence} of station ${station}, manifest ${sha256}`,
    `  ${requests} requests, devices ${first} to ${last}`,
    log === null
      ? '  it was answered before: the same answer is written again'
      : `  its log has ${log.size} entries, ${log.size - (logBefore?.size ?? 0)} of them new, and begins as it did`,
    ...odd,
  ];
}
