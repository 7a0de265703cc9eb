/**
 * How a registry wants to be spoken to, asked of `/v2/` before anything else (distribution-spec "Determining Support"), as Docker does. A registry
 * that hides private repositories answers 404 or 403 to who shows no credential, and never says that one would help.
 */
import { orAborted } from './abort.ts';
import { parseChallenge } from './challenge.ts';
import { discard, type HttpRequest, type Send } from './http.ts';
import type { Session } from './session.ts';

/**
 * Asks once in a process, for all who want to know at the same moment; nothing where the challenge is known. An answer without one says nothing: the
 * request itself may still be challenged. Fails as any request does, and is asked again then.
 */
export const introduced = async (
  send: Send,
  session: Session,
  { url, headers, signal }: HttpRequest,
): Promise<void> => {
  if (session.challenges.has(url.host)) return;
  const known = session.introductions.get(url.host);
  if (known !== undefined) return orAborted(known, signal);
  const asked = ask(send, session, { method: 'GET', url: new URL('/v2/', url), headers: userAgentOf(headers) });
  session.introductions.set(url.host, asked);
  asked.catch(() => session.introductions.delete(url.host));
  return orAborted(asked, signal);
};

const ask = async (send: Send, session: Session, request: HttpRequest): Promise<void> => {
  const { host } = request.url;
  const response = await send(request);
  await discard(response);
  const challenge = response.status === 401 ? parseChallenge(response.headers.get('www-authenticate')) : undefined;
  // A redirect may have led elsewhere: that host's challenge is none of ours.
  if (challenge !== undefined && response.url.host === host) session.challenges.set(host, challenge);
};

const userAgentOf = ({ 'user-agent': userAgent }: HttpRequest['headers']): HttpRequest['headers'] =>
  userAgent === undefined ? {} : { 'user-agent': userAgent };
