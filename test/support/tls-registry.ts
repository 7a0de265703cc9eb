/** A registry of one manifest behind TLS on loopback. */
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Digest, digestOf } from '../../lib/oci/digest.ts';
import { ociManifestType } from '../../lib/oci/media-types.ts';

/** Every tag names the same manifest. */
export interface TlsRegistry {
  readonly host: string;
  readonly digest: Digest;
  readonly close: () => Promise<void>;
}

/** Starts one with this key and certificate, both PEM. */
export const startTlsRegistry = async (key: string, cert: string): Promise<TlsRegistry> => {
  const manifest = '{"schemaVersion":2}';
  const digest = digestOf(manifest);
  const server = createServer({ key, cert }, (request, response) => {
    const headers = { 'content-type': ociManifestType, 'docker-content-digest': digest };
    response.writeHead(200, request.url === '/v2/' ? {} : headers);
    response.end(request.method === 'HEAD' ? undefined : manifest);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    digest,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
};
