/** The conversion as a webhook on loopback, for an API server of a test. */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Converter } from '../../infra/crds/definition.ts';
import { convertReview } from '../../lib/conversion/review.ts';
import { selfSigned } from './self-signed.ts';

/** A running converter. */
export interface RunningConverter {
  readonly converter: Converter;
  stop(): Promise<void>;
}

/** Starts it on a free port. */
export const startConverter = async (): Promise<RunningConverter> => {
  const { key, cert } = await selfSigned();
  const server = createServer({ key, cert }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.once('end', () => {
      const answer = convertReview(JSON.parse(Buffer.concat(chunks).toString('utf8')));
      response.writeHead(answer === undefined ? 400 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer ?? {}));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    converter: { url: `https://127.0.0.1:${port}/convert`, caBundle: Buffer.from(cert).toString('base64') },
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
};
