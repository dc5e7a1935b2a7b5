import type { ErrorCode } from '../errors.ts';

export interface Migration {
  readonly name: string;
  readonly statements: readonly string[];
}

/** What is different between the databases of lineside. */
export interface Store {
  /** Its name to people, and the beginning of its error codes. */
  readonly kind: 'registry' | 'ledger';
  /** In the file's header, by which file(1) and other programs can know it. */
  readonly applicationId: number;
  /** Oldest first; one that has been released never changes. */
  readonly migrations: readonly Migration[];
  /** Where one is to be made and a file is there already. */
  readonly taken: ErrorCode;
}
