import type { Socket } from 'node:net';

/** As much as fits into a packet of QEMU's stub, as hex. */
const chunkLength = 1024;

/**
 * The debugger's side of the GDB remote serial protocol, on a connection to QEMU. QEMU writes to flash when a debugger
 * does, as a probe would; the processor cannot.
 */
export class Gdb {
  readonly #socket: Socket;
  #text = '';
  #waiting:
    | { readonly answered: (packet: string) => void; readonly failed: (error: Error) => void }
    | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes) => this.#take(bytes.toString('latin1')));
    socket.once('close', () => this.#waiting?.failed(new Error('gdb: QEMU has gone')));
  }

  async write(address: number, bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += chunkLength) {
      const chunk = Buffer.from(bytes.subarray(at, at + chunkLength));
      await this.#must(`M${hex(address + at)},${hex(chunk.length)}:${chunk.toString('hex')}`);
    }
  }

  async read(address: number, length: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for (let at = 0; at < length; at += chunkLength) {
      const answer = await this.#ask(`m${hex(address + at)},${hex(Math.min(chunkLength, length - at))}`);
      chunks.push(Buffer.from(answer, 'hex'));
    }
    return Buffer.concat(chunks);
  }

  /** As the reset button does; the core stays halted. */
  async reset(): Promise<void> {
    await this.#must(`qRcmd,${Buffer.from('system_reset').toString('hex')}`);
  }

  /** The program counter. */
  async pc(): Promise<number> {
    return Buffer.from(await this.#ask('g'), 'hex').readUInt32LE(15 * 4);
  }

  run(): void {
    this.#send('c');
  }

  async halt(): Promise<void> {
    const stopped = this.#next();
    this.#socket.write('\x03');
    await stopped;
  }

  async #must(packet: string): Promise<void> {
    const answer = await this.#ask(packet);
    if (answer !== 'OK') throw new Error(`gdb: "${packet.slice(0, 40)}" was answered "${answer}"`);
  }

  #ask(packet: string): Promise<string> {
    const answer = this.#next();
    this.#send(packet);
    return answer;
  }

  #next(): Promise<string> {
    return new Promise((answered, failed) => {
      this.#waiting = { answered, failed };
    });
  }

  #send(packet: string): void {
    const sum = Buffer.from(packet, 'latin1').reduce((total, byte) => (total + byte) & 0xff, 0);
    this.#socket.write(`$${packet}#${sum.toString(16).padStart(2, '0')}`, 'latin1');
  }

  #take(text: string): void {
    this.#text += text;
    for (let match = packetForm.exec(this.#text); match; match = packetForm.exec(this.#text)) {
      this.#text = this.#text.slice(match.index + match[0].length);
      this.#socket.write('+');
      this.#waiting?.answered(match[1] ?? '');
    }
  }
}

const packetForm = /\$([^#]*)#[0-9a-f]{2}/;

function hex(value: number): string {
  return value.toString(16);
}
