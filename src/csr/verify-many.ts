import { LinesideError } from '../errors.ts';
import { inOrder } from '../in-order.ts';
import { claimedDevice, type VerifiedCsr, verifyCsrElsewhere } from './verify.ts';

/**
 * As `verifyCsr`, for a list of requests and on every core. Refused at the first one, in their order, that is refused.
 * `before` is how many of a longer list came before these.
 * @throws LinesideError `request-refused`, facts `place` in the list from 1, `id` it says it is of or "unknown",
 * `rule` in words and `name` one of `csrRules`
 */
export async function verifyCsrs(ders: readonly Uint8Array[], before = 0): Promise<VerifiedCsr[]> {
  const verified: VerifiedCsr[] = [];
  for await (const outcome of inOrder(ders, verifyCsrElsewhere)) {
    if (outcome.status === 'rejected') throw refusal(outcome.reason, ders, verified.length, before);
    verified.push(outcome.value);
  }
  return verified;
}

function refusal(cause: unknown, ders: readonly Uint8Array[], at: number, before: number): unknown {
  const der = ders[at];
  if (der === undefined || !(cause instanceof LinesideError)) return cause;
  const facts = { place: before + at + 1, id: claimedDevice(der) ?? 'unknown', ...cause.facts };
  return new LinesideError('request-refused', facts, { cause });
}
