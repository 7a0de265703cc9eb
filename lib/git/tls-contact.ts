/**
 * Whether a TLS host has shaken hands, although the request then failed: such a host is alive, and what does not answer is one path of it.
 * The platform's fetch does not say how far it came when a deadline ends it; its diagnostics channel does.
 */
import { subscribe } from 'node:diagnostics_channel';

/** Hosts that shook hands lately: origin and when, on the clock of `performance.now()`; the last one at the end. */
const shaken = new Map<string, number>();
const mostOrigins = 1000;

/** Notes that a TLS handshake with `origin` (`https://host:port`) is done. */
export const noteShaken = (origin: string): void => {
  shaken.delete(origin);
  shaken.set(origin, performance.now());
  const [oldest] = shaken.keys();
  if (shaken.size > mostOrigins && oldest !== undefined) shaken.delete(oldest);
};

/** Has `origin` shaken hands, with anybody in this process, since then? */
export const hasShaken = (origin: string, since: number): boolean => (shaken.get(origin) ?? -1) >= since;

const originOf = (message: unknown): string | undefined => {
  if (typeof message !== 'object' || message === null || !('connectParams' in message)) return undefined;
  const parameters = message.connectParams;
  if (typeof parameters !== 'object' || parameters === null) return undefined;
  if (!('protocol' in parameters) || parameters.protocol !== 'https:') return undefined;
  const text = `https://${'host' in parameters ? String(parameters.host) : ''}`;
  return URL.canParse(text) ? new URL(text).origin : undefined;
};

subscribe('undici:client:connected', (message) => {
  const origin = originOf(message);
  if (origin !== undefined) noteShaken(origin);
});
