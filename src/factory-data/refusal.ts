/** The one thing that is wrong with a page. Only `blank` and `interrupted` are met on a healthy line. */
export type FactoryDataRule =
  /** Every byte is 0xFF: erased flash, nothing was ever written. */
  | 'blank'
  /** The magic word is still 0xFF but something follows it: the power went during an earlier write. */
  | 'interrupted'
  | 'magic'
  | 'version'
  | 'header-length'
  | 'total-length'
  | 'truncated'
  | 'trailing'
  | 'hash'
  | 'tlv-length'
  | 'padding'
  | 'duplicate'
  | 'missing'
  | 'value'
  /** More than one flash page, or more than the memory the caller gave. */
  | 'too-long';

/** Why a page is not read or not made. The message never repeats a value: one of them is the private key. */
export class FactoryDataError extends Error {
  readonly rule: FactoryDataRule;

  constructor(rule: FactoryDataRule, detail: string, options?: ErrorOptions) {
    super(`factory data refused (${rule}): ${detail}`, options);
    this.name = 'FactoryDataError';
    this.rule = rule;
  }
}
