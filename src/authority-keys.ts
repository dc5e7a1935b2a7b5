import { join } from 'node:path';
import type { AuthorityDirectory } from './authority-directory.ts';
import type { AuthorityFile } from './authority-file.ts';
import type { Authority } from './ca/authority.ts';
import { readCertificate } from './ca/certificate.ts';
import { asExchangeKey, createExchangeKey, openExchangeKey } from './ca/exchange-key.ts';
import { createKeyFile, openKeyFile } from './ca/key-file.ts';
import type { IssuerRole } from './ca/ledger/certificate-rows.ts';
import type { Signer } from './ca/signer.ts';
import { LinesideError } from './errors.ts';
import type { Signer as NoteSigner } from './note.ts';

/*
 * The keys of a CA, in encrypted files or in a token: the one for devices, the one for brokers, that of a root above
 * both if there is one, and the exchange key.
 */

export type Role = IssuerRole | 'root';

const keyFile = (role: Role) => `${role}-ca.key`;
const exchangeKeyFile = 'exchange.key';

/** How the keys of a new CA are made, wherever they will lie. */
export interface KeyMaker {
  authority(role: Role): Promise<Signer>;
  exchange(): Promise<NoteSigner>;
}

/**
 * Lets `act` make a CA with new keys: files under this password in the directory it names, or keys in a token of this
 * PIN, which are taken back if `act` fails.
 * @throws LinesideError `directory-unwritable`, `token-…`, `wrong-pin`
 */
export async function withNewKeys(
  { name, keys }: AuthorityFile,
  secret: Uint8Array,
  act: (make: (directory: string) => KeyMaker) => Promise<void>,
): Promise<void> {
  if (keys.kind === 'file') {
    return act((directory) => ({
      authority: (role) => createKeyFile(join(directory, keyFile(role)), secret),
      exchange: () => createExchangeKey(join(directory, exchangeKeyFile), name, secret),
    }));
  }
  const { openToken } = await import('./ca/token/session.ts');
  const { destroyTokenKeys, makeTokenKey } = await import('./ca/token/token-keys.ts');
  const { storeExchangeKey } = await import('./ca/token/exchange-key.ts');
  const token = await openToken(keys, secret, 'make-keys');
  try {
    await act(() => ({
      authority: async (role) => makeTokenKey(token, { ...keys, label: tokenLabel(name, role) }),
      exchange: async () => {
        const key = storeExchangeKey(token, { ...keys, label: tokenLabel(name, 'exchange') });
        return asExchangeKey(keys.token, name, key);
      },
    }));
  } catch (error) {
    destroyTokenKeys(token, keys.id);
    throw error;
  } finally {
    token.close();
  }
}

/** The keys of a CA in use, each opened when it is asked for. */
export interface AuthorityKeys {
  /** @throws LinesideError `wrong-password`, `key-unreadable`, `key-invalid`, `token-…` */
  authority(role: IssuerRole): Promise<Authority>;
  /** What batches and checkpoints are signed with. @throws as `authority` */
  exchange(): Promise<NoteSigner>;
}

/** Lets `act` use the keys. @throws LinesideError `wrong-pin`, `token-…`, and as `AuthorityKeys` */
export async function unlock<T>(
  directory: AuthorityDirectory,
  secret: Uint8Array,
  act: (keys: AuthorityKeys) => Promise<T>,
): Promise<T> {
  const { path, file } = directory;
  const { name, keys } = file;
  if (keys.kind === 'file') {
    return act({
      authority: async (role) =>
        issuing(directory, role, await openKeyFile(join(path, keyFile(role)), secret)),
      exchange: async () =>
        sealing(directory, await openExchangeKey(join(path, exchangeKeyFile), name, secret)),
    });
  }
  const { openToken } = await import('./ca/token/session.ts');
  const { findTokenKey } = await import('./ca/token/token-keys.ts');
  const { loadExchangeKey } = await import('./ca/token/exchange-key.ts');
  const token = await openToken(keys, secret, 'use-keys');
  try {
    return await act({
      authority: async (role) =>
        issuing(directory, role, findTokenKey(token, { ...keys, label: tokenLabel(name, role) })),
      exchange: async () => {
        const key = loadExchangeKey(token, { ...keys, label: tokenLabel(name, 'exchange') });
        return sealing(directory, asExchangeKey(keys.token, name, key));
      },
    });
  } finally {
    token.close();
  }
}

/** A key that is not that of the certificate would sign what nobody believes. */
function issuing({ path, certificates }: AuthorityDirectory, role: IssuerRole, signer: Signer): Authority {
  const { issuer } = readCertificate(certificates[role]);
  if (Buffer.from(issuer.publicKey).equals(signer.publicKey))
    return { issuer, signer, certificate: certificates[role] };
  const reason = `it is not the key of ${role}-ca.crt`;
  throw new LinesideError('key-invalid', { path: join(path, keyFile(role)), reason });
}

/** Stations know the CA by its verifier key: another one would only make batches they refuse. */
function sealing({ path, exchange }: AuthorityDirectory, signer: NoteSigner): NoteSigner {
  if (signer.verifier.line === exchange.line) return signer;
  const reason = 'it is not the key of exchange.vkey';
  throw new LinesideError('key-invalid', { path: join(path, exchangeKeyFile), reason });
}

function tokenLabel(name: string, role: Role | 'exchange'): string {
  return role === 'exchange' ? `${name} exchange key` : `${name} ${role} CA`;
}
