/** Headers that open a blob: from mounted Secrets, matched by host name (spec 03 §16.6). */
import { join } from 'node:path';
import { PermanentError } from '../../errors/expected.ts';
import { blobAuthorizationIn } from '../../secrets/blob-secret.ts';
import { pairIn } from '../flags.ts';
import { mountedSecret } from '../mounted-secret.ts';

/** @param flags `secret=host` as on the command line; the first that names the host decides. @throws PermanentError, SecretError with kpack's sentences */
export async function blobHeaders(
  url: URL,
  flags: readonly string[],
  secretsDir: string,
): Promise<Readonly<Record<string, string>>> {
  for (const flag of flags) {
    const pair = pairIn(flag);
    if (pair === undefined) throw new PermanentError('', `could not parse blob secret argument ${flag}`);
    const [secret, domain] = pair;
    if (domain !== url.hostname) continue;
    return { authorization: blobAuthorizationIn(secret, await mountedSecret(join(secretsDir, secret))) };
  }
  throw new PermanentError('', `no secrets matched for '${url.hostname}'`);
}
