/** Headers that open a blob: from mounted Secrets, matched by host name (spec 03 §16.6). */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PermanentError } from '../../errors/expected.ts';
import { pairIn } from '../flags.ts';

/** @param flags `secret=host` as on the command line; the first that names the host decides. @throws PermanentError with kpack's sentences. */
export async function blobHeaders(
  url: URL,
  flags: readonly string[],
  secretsDir: string,
): Promise<Readonly<Record<string, string>>> {
  for (const flag of flags) {
    const pair = pairIn(flag);
    if (pair === undefined) throw new PermanentError('', `could not parse blob secret argument ${flag}`);
    const [secret, domain] = pair;
    if (domain === url.hostname) return { authorization: await authorizationIn(join(secretsDir, secret), secret) };
  }
  throw new PermanentError('', `no secrets matched for '${url.hostname}'`);
}

async function authorizationIn(folder: string, secret: string): Promise<string> {
  const [username, password, bearer, authorization] = await Promise.all(
    ['username', 'password', 'bearer', 'authorization'].map((key) =>
      readFile(join(folder, key), 'utf8').catch(() => ''),
    ),
  );
  const found = [
    ...(username || password ? [`Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`] : []),
    ...(bearer ? [`Bearer ${bearer}`] : []),
    ...(authorization ? [authorization] : []),
  ];
  const [only] = found;
  if (only === undefined) throw new PermanentError('', `no auths found for '${secret}'`);
  if (found.length > 1) {
    throw new PermanentError(
      '',
      `multiple auths found for '${secret}', only one of username/password, bearer, authorization is allowed`,
    );
  }
  return only.trim();
}
