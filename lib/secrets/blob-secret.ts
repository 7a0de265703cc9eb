/** The one way in which a Secret opens a blob: user and password, a bearer token, or a whole header (spec 03 §16.6). */
import { basicAuthorization, bearerAuthorization, givenAuthorization } from './authorization.ts';
import { SecretError, secretText, secretWord } from './secret-text.ts';

/** Bytes by key; undefined or empty for keys that are not there. */
export type SecretBytes = (key: string) => Uint8Array | undefined;

const none = new Uint8Array();

/** The value of the Authorization header. Blanks around tokens do not count, as in kpack. @throws SecretError */
export const blobAuthorizationIn = (secret: string, bytes: SecretBytes): string => {
  const word = (key: string): string => secretWord({ secret, key }, bytes(key) ?? none);
  const trimmed = (key: string): string =>
    secretWord({ secret, key }, Buffer.from(secretText({ secret, key }, bytes(key) ?? none).trim()));
  const [username, password, bearer, authorization] = [
    word('username'),
    word('password'),
    trimmed('bearer'),
    trimmed('authorization'),
  ];
  const found = [
    ...(username !== '' || password !== '' ? [() => basicAuthorization({ username, password })] : []),
    ...(bearer === '' ? [] : [() => bearerAuthorization(bearer)]),
    ...(authorization === '' ? [] : [() => givenAuthorization(authorization)]),
  ];
  const [only, ...others] = found;
  if (only === undefined) throw new SecretError(`no auths found for '${secret}'`);
  if (others.length > 0) {
    throw new SecretError(
      `multiple auths found for '${secret}', only one of username/password, bearer, authorization is allowed`,
    );
  }
  try {
    return only();
  } catch (cause) {
    throw new SecretError(`Secret ${secret}: ${(cause as Error).message}`, { cause });
  }
};
