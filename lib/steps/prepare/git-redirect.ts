/** Where a git host sends us, found without taking the credentials along to another host. */
import { ExpectedError } from '../../errors/expected.ts';
import { headerFor } from './git-access.ts';
import type { GitSetting } from './git-command.ts';

const suffix = '/info/refs';
const maxRedirects = 5;
const deadlineMilliseconds = 30_000;

/** The repository's real URL. Each host gets only its own credentials. @throws ExpectedError when the redirects lead nowhere. */
export async function redirectedUrl(
  repository: string,
  settings: readonly GitSetting[],
  signal: AbortSignal,
): Promise<string> {
  let url = new URL(`${repository.replace(/\/$/, '')}${suffix}?service=git-upload-pack`);
  for (let hop = 0; hop < maxRedirects; hop += 1) {
    const authorization = headerFor(url, settings);
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { 'git-protocol': 'version=2', ...(authorization !== undefined && { authorization }) },
      signal: AbortSignal.any([signal, AbortSignal.timeout(deadlineMilliseconds)]),
    });
    await response.body?.cancel();
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || location === null) {
      if (!url.pathname.endsWith(suffix))
        throw new ExpectedError(`${repository} redirects to what is no git repository`);
      return `${url.origin}${url.pathname.slice(0, -suffix.length)}`;
    }
    const next = new URL(location, url);
    if (url.protocol === 'https:' && next.protocol !== 'https:') {
      throw new ExpectedError(`${repository} redirects from https to ${next.protocol}//, which is not followed`);
    }
    url = next;
  }
  throw new ExpectedError(`${repository} redirects more than ${maxRedirects} times`);
}
