import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Board } from '../../sim/board.ts';

/** A port in front of a board's probe, at which one sees when somebody has come, looked, and gone again. */
export interface WatchedProbe {
  readonly port: number;
  /** Waits until so many more have come and gone, counted from now. */
  looks(count: number): Promise<void>;
}

export async function watched(board: Board): Promise<WatchedProbe> {
  let open = 0;
  const server = createServer((client) => {
    const probe = connect(board.port, '127.0.0.1');
    open += 1;
    client.pipe(probe).pipe(client);
    for (const [one, other] of [[client, probe] as const, [probe, client] as const])
      one.on('error', () => other.destroy());
    client.once('close', () => {
      open -= 1;
      server.emit('look');
    });
  });
  onTestFinished(() => void server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    looks: async (count) => {
      for (let left = count + open; left > 0; left -= 1) await once(server, 'look'); // one under way may be of before
    },
  };
}
