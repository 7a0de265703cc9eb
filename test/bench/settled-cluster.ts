/** An API server over HTTPS with objects that never change: what passes read that find nothing to do. Writes are refused. */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { KubeObject } from '../../lib/kube/object.ts';
import { collectionPath } from '../../lib/kube/resources.ts';
import { digest, gitSource, goodStatus, imageWorld } from '../support/image-world.ts';
import { selfSigned } from '../support/self-signed.ts';

/** A running one. */
export interface SettledCluster {
  readonly server: string;
  /** Its certificate, PEM in base64. */
  readonly caData: string;
  /** Requests that were no reads. */
  writes(): number;
  close(): Promise<void>;
}

const kinds = ['Image', 'Builder', 'SourceResolver', 'Build'] as const;

/** Every object of an Image whose first Build ended well, by path, as kpackless left them. */
const settledImage = async (name: string): Promise<ReadonlyMap<string, KubeObject>> => {
  const world = imageWorld({ metadata: { name, annotations: { 'test.example/padding': digest('e') } } });
  await world.pass();
  world.resolve(gitSource);
  await world.pass();
  world.finish(1, goodStatus);
  for (let passes = 0; passes < 3; passes += 1) await world.pass();
  const objects: readonly KubeObject[] = kinds.flatMap((kind) => world.kube.all(kind));
  return new Map(
    objects.map((object) => {
      const { namespace = '', name: own = '' } = object.metadata ?? {};
      return [`${collectionPath(object.kind ?? '', namespace)}/${own}`, object];
    }),
  );
};

/** Serves Images of these names, and `more`. Whatever else is asked for by name is an object that is being deleted, whatever its kind. */
export const startSettledCluster = async (
  images: readonly string[],
  more: readonly KubeObject[] = [],
): Promise<SettledCluster> => {
  const objects = new Map<string, KubeObject>();
  for (const object of more) {
    const { namespace = '', name = '' } = object.metadata ?? {};
    objects.set(`${collectionPath(object.kind ?? '', namespace)}/${name}`, object);
  }
  for (const image of images) for (const [path, object] of await settledImage(image)) objects.set(path, object);
  let writes = 0;

  const answer = (target: string): object => {
    const { pathname, searchParams } = new URL(target, 'https://cluster');
    const found = objects.get(pathname);
    if (found !== undefined) return found;
    if (!searchParams.has('limit')) {
      const name = pathname.split('/').at(-1) ?? '';
      return {
        metadata: { name, uid: `uid-${name}`, resourceVersion: '7', deletionTimestamp: '2026-01-01T00:00:00Z' },
      };
    }
    const [label = '', value] = (searchParams.get('labelSelector') ?? '').split('=');
    const items = [...objects]
      .filter(([path, { metadata }]) => path.startsWith(`${pathname}/`) && metadata?.labels?.[label] === value)
      .map(([, object]) => object);
    return { metadata: { resourceVersion: '7' }, items };
  };

  const { key, cert } = await selfSigned();
  const server = createServer({ key, cert }, ({ method, url = '/' }, response) => {
    if (method === 'GET') return void response.end(JSON.stringify(answer(url)));
    writes += 1;
    response.writeHead(500).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    server: `https://127.0.0.1:${port}`,
    caData: Buffer.from(cert).toString('base64'),
    writes: () => writes,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
