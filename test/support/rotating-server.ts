/**
 * An API server behind TLS on loopback whose certificate, tokens and client certificates change. It knows who may enter and nothing else: whoever
 * may is answered with `{}`, everybody else with 401, as a real one does.
 */

import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** PEM. */
export interface KeyPair {
  readonly key: string;
  readonly cert: string;
}

/** Starts it; dispose of it. */
export const rotatingServer = async (first: KeyPair) => {
  const state = { isAccepted: (_token: string, _fingerprint: string): boolean => false };
  const counts = { accepted: 0, refused: 0, failedHandshakes: 0 };
  const streams = new Set<() => void>();
  const server = createServer({ ...first, requestCert: true, rejectUnauthorized: false }, (request, response) => {
    const token = request.headers.authorization?.replace(/^Bearer /, '') ?? '';
    const mayEnter = state.isAccepted(token, fingerprintOf(request));
    counts[mayEnter ? 'accepted' : 'refused'] += 1;
    if (!mayEnter) return void response.writeHead(401).end('{"kind":"Status","message":"Unauthorized"}');
    if (request.url?.includes('watch=true') !== true) return void response.end('{}');
    response.flushHeaders();
    const end = (): void => void response.end();
    streams.add(end);
    response.on('close', () => streams.delete(end));
  });
  server.on('tlsClientError', () => (counts.failedHandshakes += 1));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    streams,
    /** Who may enter from now on, by bearer token and fingerprint of the client certificate; either is empty when not shown. */
    accept: (isAccepted: (token: string, fingerprint: string) => boolean): void => void (state.isAccepted = isAccepted),
    /** Shows another certificate from now on; connections end, as with a restart. */
    show: (pair: KeyPair): void => {
      server.setSecureContext(pair);
      server.closeAllConnections();
    },
    [Symbol.asyncDispose]: async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

const fingerprintOf = (request: IncomingMessage): string =>
  (request.socket as TLSSocket).getPeerCertificate().fingerprint256 ?? '';

/** As the server compares certificates. */
export const fingerprint = (cert: string): string => new X509Certificate(cert).fingerprint256;
