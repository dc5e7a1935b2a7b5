/** An ADIv5 access port as the DP sees it: 64 word registers, named by their byte address 0x00 … 0xFC. */
export interface AccessPort {
  /** Throws BusFault when the access ends in an error: the DP then sets STICKYERR. */
  read(register: number): number;
  write(register: number, value: number): void;
}
