/**
 * Liveness, readiness and counts over HTTP: `/healthz` says that the process runs, `/readyz` that every watch is established, `/metrics` what was counted
 * since the start, as Prometheus reads it.
 */

import { createServer, type Server } from 'node:http';
import { PermanentError } from '../errors/expected.ts';
import type { ReadableMetrics } from '../metrics/prometheus-metrics.ts';

/** What is served. */
export interface Health {
  readonly notReady: () => readonly string[];
  /** What `/metrics` answers; asked at each request. */
  readonly metrics: Pick<ReadableMetrics, 'text' | 'contentType'>;
}

/** Starts the endpoints; resolves with the port they listen on. @throws Error when the port is taken */
export const serveHealth = (
  host: string,
  port: number,
  { notReady, metrics }: Health,
): Promise<{ readonly port: number; close(): Promise<void> }> =>
  new Promise((resolve, reject) => {
    const server: Server = createServer((request, response) => {
      if (request.url === '/metrics') {
        void metrics.text().then(
          (text) => response.writeHead(200, { 'content-type': metrics.contentType }).end(text),
          () => response.writeHead(500).end('the counts cannot be read\n'),
        );
        return;
      }
      const missing = request.url === '/readyz' ? notReady() : [];
      const found = request.url === '/healthz' || request.url === '/readyz';
      const status = found ? (missing.length === 0 ? 200 : 503) : 404;
      const text = found ? (missing.length === 0 ? 'ok' : `not watching yet: ${missing.join(', ')}`) : 'not found';
      response.writeHead(status, { 'content-type': 'text/plain' }).end(`${text}\n`);
    });
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new PermanentError('PortTaken', `port ${port} on ${host} is taken: set KPACKLESS_HEALTH_PORT to a free one`)
          : error,
      ),
    );
    server.listen(port, host, () => {
      const address = server.address();
      resolve({
        port: typeof address === 'object' && address !== null ? address.port : port,
        close: () => new Promise((done) => server.close(() => done())),
      });
    });
  });
