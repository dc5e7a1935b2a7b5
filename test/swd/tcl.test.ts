import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { TclPipe } from '../../src/swd/tcl.ts';

const patience = { doing: 'testing', seconds: 0.05 };

function pipe() {
  const requests = new PassThrough();
  const replies = new PassThrough();
  return { requests, replies, tcl: new TclPipe(requests, replies) };
}

test('a request and its reply end with 0x1A, however the reply is cut into pieces', async () => {
  const { requests, replies, tcl } = pipe();
  const answer = tcl.exchange(Buffer.from('init'), { doing: 'testing', seconds: 5 });
  for (const piece of ['o', 'k', '\x1a']) replies.write(piece);
  expect(await answer).toBe('ok');
  expect(requests.read()?.toString()).toBe('init\x1a');
});

test('a reply that does not come in time is an error', async () => {
  await expect(pipe().tcl.exchange(Buffer.from('init'), patience)).rejects.toMatchObject({
    code: 'openocd-timeout',
  });
});

test('the end of OpenOCD is an error, during an exchange and after it', async () => {
  const { replies, tcl } = pipe();
  const answer = tcl.exchange(Buffer.from('init'), { doing: 'testing', seconds: 5 });
  replies.destroy();
  await expect(answer).rejects.toMatchObject({ code: 'openocd-died' });
  await expect(tcl.exchange(Buffer.from('halt'), patience)).rejects.toMatchObject({ code: 'openocd-died' });
});

test('an endless reply is not kept, and what comes after it is no reply', async () => {
  const { replies, tcl } = pipe();
  const answer = tcl.exchange(Buffer.from('init'), { doing: 'testing', seconds: 1 });
  for (let sent = 0; sent < 3; sent += 1) replies.write(Buffer.alloc(1 << 20, 0x61));
  await expect(answer).rejects.toMatchObject({ code: 'openocd-died' });
});
