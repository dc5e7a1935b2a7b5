import { expect, test } from 'vitest';
import { adapterCommands, formatProbe, parseProbe } from '../../src/swd/probe.ts';

test.each(['a=sim:4444', 'left-1=cmsis-dap:E6614103E7', 'b=stlink:066DFF555051', 'c=jlink:000683456789'])(
  '%s is read, and written back the same',
  (text) => {
    expect(formatProbe(parseProbe(text))).toBe(text);
  },
);

test.each([
  'sim:4444',
  'a=sim',
  'a=sim:0',
  'a=sim:65536',
  'a=sim:44x',
  'a=gdb:1',
  'a=cmsis-dap:',
  'a b=sim:1',
  'a=cmsis-dap:1;exit',
  'a=cmsis-dap:[exit]',
  'a=cmsis-dap:$x',
  'a=cmsis-dap:x\ny',
])('%j is refused, because it goes into a command line of OpenOCD', (text) => {
  expect(() => parseProbe(text)).toThrow(expect.objectContaining({ code: 'bad-probe' }));
});

test.each(['cmsis-dap', 'stlink', 'jlink'])('%s is never used without its serial number', (kind) => {
  expect(adapterCommands(parseProbe(`a=${kind}:SERIAL9`))).toContain('adapter serial SERIAL9');
});
