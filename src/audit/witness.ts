import type { Witnessed } from './batches.ts';
import { type Finding, found, station } from './finding.ts';
import type { LogFacts } from './log-facts.ts';

const day = 86_400_000;

/** How much of the log rests on the word of the station alone. */
export function* auditWitness(
  log: LogFacts,
  witnessed: Witnessed | undefined,
  now: Date,
): Generator<Finding> {
  const seen = witnessed?.size ?? 0;
  if (seen < log.size)
    yield found('log-unwitnessed', station, { seen, size: log.size, unseen: log.size - seen });
  const sealed = Date.parse(log.seal?.at ?? '1970-01-01T00:00:00.000Z');
  const unsealed = log.size - 1 - (log.seal?.n ?? -1);
  if (unsealed > 0 && now.getTime() - sealed > day)
    yield found('seal-old', station, { at: log.seal?.at ?? 'never', unsealed });
}
