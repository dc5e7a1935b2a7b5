// Registers of the private peripheral bus that only have to answer: identification, FPB, DWT, ITM, ROM table.

/** The entries of the ROM table: where each component is, its part number and class (DDI 0439B 4.1). */
const ROM_TABLE = 0xe00ff000;
const COMPONENTS = [
  { base: 0xe000e000, pidr: 0x4000bb00c, cidr: 0xb105e00d }, // SCS
  { base: 0xe0001000, pidr: 0x4003bb002, cidr: 0xb105e00d }, // DWT
  { base: 0xe0002000, pidr: 0x4002bb003, cidr: 0xb105e00d }, // FPB
  { base: 0xe0000000, pidr: 0x4003bb001, cidr: 0xb105e00d }, // ITM
  { base: 0xe0040000, pidr: 0x4000bb9a1, cidr: 0xb105900d }, // TPIU
  { base: 0xe0041000, pidr: 0x4000bb925, cidr: 0xb105900d }, // ETM
] as const;

/** Cortex-M4 with FPU: DDI 0439B 4.1, 7.2; ARMv7-M ARM B3.2.2, B4.7. */
export function constantRegisters(romTablePidr: number): ReadonlyMap<number, number> {
  return new Map([
    [0xe0001fbc, 0x00000000], // DWT_DEVARCH: not implemented before ARMv8-M
    [0xe000ed40, 0x00000030], // ID_PFR0
    [0xe000ed44, 0x00000200], // ID_PFR1
    [0xe000ed48, 0x00100000], // ID_DFR0
    [0xe000ef40, 0x10110021], // MVFR0: single precision
    [0xe000ef44, 0x11000011], // MVFR1
    ...COMPONENTS.map(({ base }, i) => [ROM_TABLE + 4 * i, (base - ROM_TABLE) | 3] as const),
    [ROM_TABLE + 4 * COMPONENTS.length, 0],
    [ROM_TABLE + 0xfcc, 1], // MEMTYPE: memory is on this bus too
    ...identification(ROM_TABLE, romTablePidr, 0xb105100d),
    ...COMPONENTS.flatMap(({ base, pidr, cidr }) => identification(base, pidr, cidr)),
  ]);
}

/** PIDR and CIDR: a byte in each of twelve words at the end of the component's 4 KiB (ADIv5.2 D1.2). */
function identification(base: number, pidr: number, cidr: number): [number, number][] {
  const byte = (value: number, n: number) => Math.floor(value / 2 ** (8 * n)) & 0xff;
  const bytes = [4, 5, 6, 7, 0, 1, 2, 3].map((n) => byte(pidr, n));
  bytes.push(...[0, 1, 2, 3].map((n) => byte(cidr, n)));
  return bytes.map((value, i) => [base + 0xfd0 + 4 * i, value]);
}

/** Storage without behaviour: comparators are kept, never matched. First the value after power-on. */
export function storedRegisters(): Map<number, number> {
  const registers = new Map([
    [0xe0001000, 0x40000000], // DWT_CTRL: four comparators
    [0xe0001004, 0], // DWT_CYCCNT
    [0xe0002000, 0x00000260], // FP_CTRL: six code, two literal comparators
    [0xe0002004, 0], // FP_REMAP
    [0xe000e004, 0], // ICTR
    [0xe000ed08, 0], // VTOR
    [0xe000ed10, 0], // SCR
    [0xe000ed14, 0x00000200], // CCR
    [0xe000ed24, 0], // SHCSR
    [0xe000ed88, 0], // CPACR
    [0xe000ef34, 0], // FPCCR
    [0xe0000e00, 0], // ITM_TER
    [0xe0000e80, 0], // ITM_TCR
  ]);
  for (let i = 0; i < 8; i++) registers.set(0xe0002008 + 4 * i, 0); // FP_COMPn
  for (let i = 0; i < 4; i++) {
    for (const register of [0x20, 0x24, 0x28]) registers.set(0xe0001000 + register + 16 * i, 0); // DWT COMP, MASK, FUNCTION
  }
  return registers;
}
