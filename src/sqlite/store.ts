import type { ErrorCode } from '../errors.ts';

export interface Migration {
  readonly name: string;
  readonly statements: readonly string[];
}

/** `taken`: there is a file already where one is to be made. */
type Failure = 'missing' | 'taken' | 'busy' | 'newer' | 'unsafe' | 'damaged' | 'full' | 'io';

/** What is different between the databases of lineside. */
export interface Store {
  /** Its name to people. */
  readonly kind: string;
  /** In the file's header, by which file(1) and other programs can know it. */
  readonly applicationId: number;
  /** Oldest first; one that has been released never changes. */
  readonly migrations: readonly Migration[];
  /** How its operator meets what can go wrong with the file. */
  readonly errors: Readonly<Record<Failure, ErrorCode>>;
}
