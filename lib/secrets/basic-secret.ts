/** The one way in which a Secret of type kubernetes.io/basic-auth is read, for git hosts and registries, from the API and from a mounted folder. */
import type { Login } from './authorization.ts';
import { secretWord } from './secret-text.ts';

/** Bytes of a Secret by key; empty for keys that it has not. @throws SecretError when it cannot be had at all */
export type SecretBytes = (key: string) => Uint8Array;

/** User and password. Kubernetes asks for one of the two alone: what is missing is empty. @throws SecretError */
export const basicLoginIn = (secret: string, bytes: SecretBytes): Login => {
  const word = (key: string): string => secretWord({ secret, key }, bytes(key));
  return { username: word('username'), password: word('password') };
};
