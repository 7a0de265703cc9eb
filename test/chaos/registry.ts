/** A registry in memory behind the fetch that clients are given, and what builds push into it. */
import type { IncomingMessage } from 'node:http';
import type { BuildSpec } from '../../lib/api/build.ts';
import type { Fetch, FetchAnswer } from '../../lib/egress/fetch.ts';
import { parseTag } from '../../lib/oci/reference.ts';
import { lifecycleLabels, storeBuildpackage, storeDockerImage } from '../support/buildpack-images.ts';
import type { FakeRegistry } from '../support/fake-registry.ts';
import { answerOf } from '../support/fake-registry-api.ts';
import { createStore, type FakeStore } from '../support/fake-registry-store.ts';
import { storeImage } from '../support/stored-image.ts';
import type { Calls } from './calls.ts';
import type { Exported } from './cluster/kubelet.ts';

export const registryHost = 'registry.example';
const stackId = 's';

/** As much of manifests and configs as is looked at here. */
interface Content {
  readonly config?: { readonly digest?: string; readonly Labels?: Readonly<Record<string, string>> };
  readonly rootfs?: { readonly diff_ids: readonly string[] };
  readonly buildpacks?: readonly { readonly id: string; readonly version: string }[];
}

const parse = (text: Buffer | string | undefined): Content => JSON.parse(String(text ?? '{}')) as Content;

/** Uploads and pages have names of their own in each run. */
const plainPath = ({ pathname }: URL): string => pathname.replace(/uploads\/[^/?]+/, 'uploads/…');

const bodyOf = async (stream: ReadableStream<Uint8Array> | undefined): Promise<Buffer> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream ?? []) chunks.push(chunk);
  return Buffer.concat(chunks);
};

/** The registry. */
export class ChaosRegistry {
  readonly store: FakeStore = createStore();
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  readonly fetch: Fetch = async (url, { method = 'GET', headers = {}, body, signal }): Promise<FetchAnswer> => {
    const sent = await bodyOf(body);
    const lowered = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    const answer = await this.#calls.make({
      port: 'registry',
      name: `${method} ${plainPath(url)}`,
      isWrite: method !== 'GET' && method !== 'HEAD',
      signal: signal ?? undefined,
      carryOut: () =>
        answerOf({
          store: this.store,
          method,
          url,
          request: { headers: lowered } as unknown as IncomingMessage,
          body: sent,
          mounts: true,
          pageSize: 100,
        }),
      failing: () => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }),
    });
    const bytes = answer.body ?? Buffer.alloc(0);
    const answered = { 'content-length': String(bytes.byteLength), ...answer.headers };
    return {
      status: answer.status,
      statusText: '',
      headers: new Headers(answered),
      body: (async function* () {
        if (method !== 'HEAD') yield bytes;
      })(),
    };
  };

  get #asFake(): FakeRegistry {
    // Of a fake registry the makers of images use its store alone.
    return { store: this.store } as FakeRegistry;
  }

  /** Build and run image of a stack, in an edition. */
  pushStack(edition: number): void {
    const labels = { 'io.buildpacks.stack.id': stackId };
    const env = ['CNB_USER_ID=1000', 'CNB_GROUP_ID=1000'];
    storeDockerImage(this.#asFake, `stack/build:${edition}`, { labels, env, layers: [`build ${edition}`] });
    storeDockerImage(this.#asFake, `stack/run:${edition}`, { labels, layers: [`run ${edition}`] });
  }

  pushLifecycle(): void {
    storeDockerImage(this.#asFake, 'lifecycle:1', { labels: lifecycleLabels, layers: ['lifecycle'] });
  }

  /** Buildpack `a` in a version. */
  pushBuildpack(version: number): void {
    storeBuildpackage(this.#asFake, `bp/a:${version}`, `a@${version}`, `a ${version}`);
  }

  /** Labels of an image that is named by digest. */
  #labelsOf(image: string): Readonly<Record<string, string>> {
    const [, repository = '', digest = ''] = /^[^/]+\/([^:@]+)(?::[^@]+)?@(.+)$/.exec(image) ?? [];
    const found = this.store.repository(repository);
    const { config } = parse(found.manifests.get(digest)?.bytes);
    return parse(found.blobs.get(config?.digest ?? '')).config?.Labels ?? {};
  }

  /** What a build pushes: an image on the run image that it was told to use, with the source and configuration it was made from. */
  export({ tags, source, env = [], runImage, builder }: BuildSpec): Exported {
    const run = runImage?.image ?? '';
    const runDigest = run.slice(run.indexOf('@') + 1);
    const repository = this.store.repository('stack/run');
    const manifest = parse(repository.manifests.get(runDigest)?.bytes);
    const { rootfs } = parse(repository.blobs.get(manifest.config?.digest ?? ''));
    const base = rootfs?.diff_ids ?? [];
    const { buildpacks = [] } = parse(this.#labelsOf(builder.image ?? '')['io.buildpacks.builder.metadata']);
    const app = `app ${source.git?.revision ?? ''} ${JSON.stringify(env)}`;
    const labels = {
      'io.buildpacks.stack.id': stackId,
      'io.buildpacks.build.metadata': JSON.stringify({
        buildpacks,
        launcher: { version: '0.21.0' },
      }),
      'io.buildpacks.lifecycle.metadata': JSON.stringify({
        runImage: { topLayer: base.at(-1) ?? '', reference: run },
        stack: { runImage: { image: `${registryHost}/stack/run` } },
      }),
    };
    const [first = ''] = tags;
    for (const tag of tags) storeImageOn(this.store, tag, base, app, labels);
    const { path, tag } = parseTag(first);
    const digest = this.store.repository(path).tags.get(tag) ?? '';
    return {
      buildpacks,
      latestImage: `${registryHost}/${path}@${digest}`,
      stackId,
      stackRunImage: `${registryHost}/stack/run@${runDigest}`,
    };
  }
}

/** Layers of the base are those of a Docker image whose content is their name (test/support/buildpack-images.ts). */
const storeImageOn = (
  store: FakeStore,
  tag: string,
  base: readonly string[],
  app: string,
  labels: Readonly<Record<string, string>>,
): void => {
  const { path } = parseTag(tag);
  const layers = base.length === 0 ? [app] : ['base', app];
  storeImage(store, parseTag(tag), { layers, labels });
  if (base.length === 0) return;
  // The config says which diffIDs the base really has, so that a rebase finds its top layer.
  const repository = store.repository(path);
  const old = repository.manifests.get(repository.tags.get(parseTag(tag).tag) ?? '');
  const manifest = JSON.parse(String(old?.bytes)) as { config: { digest: string; size: number } };
  const config = JSON.parse(String(repository.blobs.get(manifest.config.digest))) as { rootfs: { diff_ids: string[] } };
  config.rootfs.diff_ids = [...base, ...config.rootfs.diff_ids.slice(1)];
  const bytes = Buffer.from(JSON.stringify(config));
  manifest.config = { ...manifest.config, digest: store.putBlob(path, bytes), size: bytes.byteLength };
  store.putManifest(path, old?.mediaType ?? '', Buffer.from(JSON.stringify(manifest)), parseTag(tag).tag);
};
