import type { Readable, Writable } from 'node:stream';

/*
 * Just enough of MQTT 5 (OASIS standard, clauses 2 and 3) to be a device or a back end, as bytes that go through any
 * TLS client. QoS 1 outwards, so that the broker answers; QoS 0 inwards, so that nothing has to be answered.
 */

const string = (text: string) => Buffer.concat([uint16(Buffer.byteLength(text)), Buffer.from(text)]);
const noProperties = Buffer.of(0);
const packetId = Buffer.of(0, 1);

function uint16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff);
}

function packet(type: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  if (body.length > 127)
    return Buffer.concat([Buffer.of(type, (body.length & 127) | 128, body.length >> 7), body]);
  return Buffer.concat([Buffer.of(type, body.length), body]);
}

export interface Message {
  readonly topic: string;
  readonly text: string;
}

/** Clean start, keep alive of 60 s. */
export function connect(clientId = '', will?: Message): Buffer {
  const flags = Buffer.of(will ? 0x06 : 0x02);
  const last = will ? [noProperties, string(will.topic), string(will.text)] : [];
  return packet(
    0x10,
    string('MQTT'),
    Buffer.of(5),
    flags,
    uint16(60),
    noProperties,
    string(clientId),
    ...last,
  );
}

export function subscribe(filter: string): Buffer {
  return packet(0x82, packetId, noProperties, string(filter), Buffer.of(0));
}

export function publish({ topic, text }: Message): Buffer {
  return packet(0x32, string(topic), packetId, noProperties, Buffer.from(text));
}

export type Received =
  | { readonly type: 'connack' | 'suback' | 'puback' | 'disconnect'; readonly reason: number }
  | ({ readonly type: 'message' } & Message);

/** The packets in these bytes, and how many bytes they took. */
function unpack(bytes: Buffer): { packets: Received[]; taken: number } {
  const packets: Received[] = [];
  for (let taken = 0; ; ) {
    const [type = 0, low = 0, high = 0] = bytes.subarray(taken);
    const header = low < 128 ? 2 : 3;
    const length = low < 128 ? low : (low & 127) + high * 128;
    if (bytes.length < taken + header + length || bytes.length < taken + 2) return { packets, taken };
    packets.push(meaning(type >> 4, bytes.subarray(taken + header, taken + header + length)));
    taken += header + length;
  }
}

function meaning(type: number, body: Buffer): Received {
  if (type === 2) return { type: 'connack', reason: body[1] ?? 0 };
  if (type === 4) return { type: 'puback', reason: body[2] ?? 0 };
  if (type === 9) return { type: 'suback', reason: body.at(-1) ?? 0 };
  if (type === 14) return { type: 'disconnect', reason: body[0] ?? 0 };
  const topic = body.toString('utf8', 2, 2 + body.readUInt16BE(0));
  return { type: 'message', topic, text: body.toString('utf8', 3 + topic.length) };
}

/** One side of a connection: what was received so far, and the next that comes. */
export class MqttSession {
  readonly received: Received[] = [];
  readonly #out: Writable;
  #bytes = Buffer.alloc(0);
  #ended = false;
  #wake = () => {};

  constructor(input: Readable, out: Writable) {
    this.#out = out;
    input.on('data', (chunk: Buffer) => {
      const { packets, taken } = unpack((this.#bytes = Buffer.concat([this.#bytes, chunk])));
      this.#bytes = this.#bytes.subarray(taken);
      this.received.push(...packets);
      this.#wake();
    });
    for (const event of ['end', 'close', 'error'])
      input.on(event, () => {
        this.#ended = true;
        this.#wake();
      });
  }

  send(bytes: Uint8Array): void {
    this.#out.write(bytes);
  }

  /** Ends without a word. */
  cut(): void {
    this.#out.destroy();
  }

  /** Sends, and returns the answer of this type, or undefined if the connection ends without one. */
  async ask(bytes: Uint8Array, type: Received['type']): Promise<Received | undefined> {
    const from = this.received.length;
    this.send(bytes);
    return this.next((packet) => packet.type === type, from);
  }

  /** The first from number `from` on that is meant. */
  async next(isMeant: (packet: Received) => boolean, from = 0): Promise<Received | undefined> {
    for (;;) {
      const found = this.received.slice(from).find(isMeant);
      if (found || this.#ended) return found;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
