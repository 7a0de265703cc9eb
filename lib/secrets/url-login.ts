/** User and password written into a URL. */
import { PermanentError } from '../errors/expected.ts';
import { shownUrl } from '../text/shown-url.ts';
import type { Login } from './authorization.ts';
import { faultOfWord } from './secret-text.ts';

const decoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
};

/** The login, decoded; undefined when the URL holds none. @throws PermanentError when it cannot be decoded or holds control characters */
export const loginIn = (url: URL): Login | undefined => {
  if (url.username === '' && url.password === '') return undefined;
  const [username, password] = [decoded(url.username), decoded(url.password)];
  const refuse = (why: string): never => {
    throw new PermanentError('InvalidUrlLogin', `the login in the URL ${shownUrl(url)} ${why}`);
  };
  if (username === undefined || password === undefined) return refuse('has a broken percent escape');
  const fault = faultOfWord(username) ?? faultOfWord(password);
  return fault === undefined ? { username, password } : refuse(fault);
};

/** The URL without it: what may be dialled with the login in a header. */
export const withoutLogin = (url: URL): URL => {
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  return bare;
};
