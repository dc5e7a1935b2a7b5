import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { deviceTbs } from '../../src/ca/profile.ts';
import { assemble, goodParts } from '../csr/bad-requests.ts';
import { type Ca, type Field, type Identity, lookalike, openField } from './field.ts';
import { freePort, startBroker } from './mosquitto.ts';
import { connect } from './mqtt.ts';
import { clients, connectWith } from './tls-clients.ts';

/*
 * A fleet goes over from one CA to another. Both have the same name here, as two CAs of one company may: then only
 * their key identifiers tell a chain, and a CRL, from the other.
 */

let field: Field;
let old: Ca;
let anew: Ca;
beforeAll(async () => {
  field = await openField();
  [old, anew] = [await field.ca(), await field.ca('intermediates')];
});
afterAll(() => field.close());

/** One device: its request, and the certificates that both CAs give for it. */
async function inBoth(id: string): Promise<{ before: Identity; after: Identity }> {
  const parts = goodParts(id);
  const request = assemble(parts);
  const key = parts.key.export({ format: 'pem', type: 'pkcs8' });
  return {
    before: field.identity(await old.certify([request]), key),
    after: field.identity(await anew.certify([request]), key),
  };
}

test('both CAs are believed, each with its own CRL, until the old one is dropped', async () => {
  const [moved, lost, wiped] = [await inBoth('00000001'), await inBoth('00000002'), await inBoth('00000003')];
  const stranger = await field.signedBy(await lookalike('device'), (issuer, subject) =>
    deviceTbs(issuer, subject, '00000001', 'default'),
  );
  await old.revoke('00000002', 'superseded');
  await anew.revoke('00000003', 'superseded');
  for (const ca of [old, anew]) await ca.signCrl();
  const own = await old.broker('localhost');
  const port = await freePort();
  const [client] = clients;

  /** Who is let in by a broker that is given these CAs. */
  const letIn = async (...authorities: readonly Ca[]) => {
    const told = authorities.flatMap((ca) => ca.told);
    const broker = await startBroker(await field.exportFor(port, own, ...told), port);
    onTestFinished(() => broker.stop());
    const all = Object.entries({ moved, lost, wiped, stranger: { before: stranger, after: stranger } });
    const found: string[] = [];
    for (const [name, certificates] of all)
      for (const when of ['before', 'after'] as const) {
        const attempt = { port, anchors: old.certificate('broker'), identity: certificates[when] };
        const { session, close } = connectWith(client, attempt);
        const answer = await session.ask(connect(), 'connack');
        if (answer !== undefined) found.push(`${name} ${when}`);
        await close();
      }
    await broker.stop();
    return found;
  };

  expect(await letIn(old)).toEqual(['moved before', 'wiped before']);
  expect(await letIn(old, anew)).toEqual(['moved before', 'moved after', 'lost after', 'wiped before']);
  expect(await letIn(anew, old)).toEqual(['moved before', 'moved after', 'lost after', 'wiped before']);
  expect(await letIn(anew)).toEqual(['moved after', 'lost after']);
});
