/** Where a git host sends us, found without taking the credentials along to another host. */
import { ExpectedError } from '../../errors/expected.ts';
import { networkCause } from '../../errors/network-cause.ts';
import { withoutLogin } from '../../secrets/url-login.ts';
import { shownUrl } from '../../text/shown-url.ts';
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
  const shown = shownUrl(repository);
  let url = new URL(repository);
  url.pathname = `${url.pathname.replace(/\/$/, '')}${suffix}`;
  url.searchParams.set('service', 'git-upload-pack');
  for (let hop = 0; hop < maxRedirects; hop += 1) {
    const authorization = headerFor(url, settings);
    const response = await ask(
      url,
      authorization,
      AbortSignal.any([signal, AbortSignal.timeout(deadlineMilliseconds)]),
    );
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || location === null) {
      if (!url.pathname.endsWith(suffix)) throw new ExpectedError(`${shown} redirects to what is no git repository`);
      return `${url.origin}${url.pathname.slice(0, -suffix.length)}`;
    }
    url = next(url, location, shown);
  }
  throw new ExpectedError(`${shown} redirects more than ${maxRedirects} times`);
}

async function ask(url: URL, authorization: string | undefined, signal: AbortSignal): Promise<Response> {
  const headers = { 'git-protocol': 'version=2', ...(authorization !== undefined && { authorization }) };
  try {
    const response = await fetch(url, { redirect: 'manual', headers, signal });
    await response.body?.cancel();
    return response;
  } catch (cause) {
    throw new ExpectedError(`${shownUrl(url)} cannot be asked: ${networkCause(cause)}`, { cause });
  }
}

/** Where a redirect leads, without the login that may stand in it. From https only to https. */
function next(url: URL, location: string, shown: string): URL {
  const target = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
  if (target === undefined) throw new ExpectedError(`${shown} redirects without saying where`);
  if (target.protocol === 'https:' || (target.protocol === 'http:' && url.protocol === 'http:'))
    return withoutLogin(target);
  const from = url.protocol.slice(0, -1);
  throw new ExpectedError(`${shown} redirects from ${from} to ${target.protocol}//, which is not followed`);
}
