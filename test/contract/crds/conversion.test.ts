/** Conversion as an installation serves it: a real API server calls the process, whose certificates and trust it makes by itself, as the relay's account. */

import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import type { CustomResourceDefinition } from 'kubernetes-types/apiextensions/v1.d.ts';
import type { Secret } from 'kubernetes-types/core/v1.d.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../../infra/local/cluster/ports.ts';
import { waitUntil } from '../../../infra/local/cluster/wait.ts';
import { install } from '../../../infra/local/install.ts';
import { authorityKey } from '../../../lib/conversion/authority.ts';
import { keepConversion } from '../../../lib/conversion/keep.ts';
import { conversionPath } from '../../../lib/conversion/path.ts';
import { askForNoConversion } from '../../../lib/conversion/trust.ts';
import { type KubeClient, kubeClient } from '../../../lib/kube/client.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { kubeTransport } from '../../../lib/kube/transport.ts';
import { makeAuthority } from '../../../lib/tls/certificate.ts';
import { type ApiServer, apiServerIsHere, startApiServer } from '../../support/api-server.ts';

type Definition = CustomResourceDefinition & KubeObject;
type Stored = Secret & KubeObject;

const imagesKey = { kind: 'CustomResourceDefinition', namespace: '', name: 'images.kpack.io' };
const older = (name: string, spec: object = {}) => ({
  apiVersion: 'kpack.io/v1alpha1',
  kind: 'Image',
  metadata: { name, namespace: 'default' },
  spec: {
    tag: 'registry.example/team/app',
    builder: { kind: 'ClusterBuilder', name: 'b' },
    serviceAccount: 'builder',
    source: { git: { url: 'https://git.example/app', revision: 'main' } },
    ...spec,
  },
});
const olderImages = '/apis/kpack.io/v1alpha1/namespaces/default/images';
const images = '/apis/kpack.io/v1alpha2/namespaces/default/images';

describe.runIf(apiServerIsHere)('an installation that converts', () => {
  let server: ApiServer;
  let administrator: KubeClient;
  let relay: KubeClient;
  let port: number;
  const stop = new AbortController();
  const lines: string[] = [];
  const undo: (() => unknown)[] = [];

  const keep = async (onPort: number, signal = stop.signal) => {
    const kept = await keepConversion(
      { host: '127.0.0.1', port: onPort, names: ['127.0.0.1'] },
      {
        kube: async () => relay,
        clock: () => new Date(),
        log: (level, what, fields) => void lines.push(`${level} ${what} ${JSON.stringify(fields ?? {})}`),
      },
      signal,
    );
    undo.push(() => kept.close());
    return kept;
  };
  const converts = (): Promise<unknown> => server.api.send('GET', olderImages).catch(() => undefined);

  beforeAll(async () => {
    server = await startApiServer();
    undo.push(() => server.stop());
    administrator = kubeClient(kubeTransport(server.config));
    port = await freePort(0);
    await install(administrator, {
      tenantEverywhere: false,
      converter: { url: `https://127.0.0.1:${port}${conversionPath}` },
    });
    const token = await administrator.token(
      { namespace: 'kpack', name: 'kpackless-relay' },
      'https://kubernetes.default.svc',
      3600,
    );
    const config = new KubeConfig();
    config.loadFromOptions({
      clusters: [
        { name: 'c', server: server.url, caData: Buffer.from(readFileSync(server.pki.ca.cert)).toString('base64') },
      ],
      users: [{ name: 'u', token }],
      contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
      currentContext: 'x',
    });
    relay = kubeClient(kubeTransport(config));
    await keep(port);
    await waitUntil(async () => lines.some((line) => line.includes('v1alpha1 is converted')), {
      what: 'the definitions to trust',
      timeout: 20_000,
    });
  }, 90_000);
  afterAll(async () => {
    stop.abort();
    for (const step of undo.splice(0).toReversed()) await step();
  });

  it('05#17 lets v1alpha1 be written and stores v1alpha2, and the other way round', async () => {
    const made = () => server.api.send('POST', olderImages, older('first'));
    // The API server reads its definitions anew in its own time.
    await waitUntil(
      async () =>
        made().then(
          () => true,
          (error: unknown) => /already exists/.test(String(error)),
        ),
      {
        what: 'a v1alpha1 Image to be taken',
        timeout: 30_000,
      },
    );
    expect(await server.api.send('GET', `${images}/first`)).toMatchObject({
      apiVersion: 'kpack.io/v1alpha2',
      spec: { serviceAccountName: 'builder' },
    });
    await server.api.send('POST', images, {
      ...older('second'),
      apiVersion: 'kpack.io/v1alpha2',
      spec: { ...older('').spec, serviceAccount: undefined, serviceAccountName: 'other', build: { buildTimeout: 60 } },
    });
    expect(await server.api.send('GET', `${olderImages}/second`)).toMatchObject({
      apiVersion: 'kpack.io/v1alpha1',
      metadata: { annotations: { 'kpack.io/buildTimeout': '60' } },
      spec: { serviceAccount: 'other' },
    });
    const { items } = (await converts()) as { items: readonly { metadata: { name: string } }[] };
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['first', 'second']);
  }, 60_000);

  it('05#43 shows changes to whoever watches v1alpha1, as kp --wait does', async () => {
    const { pki, url } = server;
    const seen: string[] = [];
    const watching = request(
      `${url}${olderImages}?watch=true&fieldSelector=metadata.name%3Dfirst`,
      { ca: readFileSync(pki.ca.cert), cert: readFileSync(pki.admin.cert), key: readFileSync(pki.admin.key) },
      (response) => response.setEncoding('utf8').on('data', (chunk: string) => seen.push(chunk)),
    );
    watching.on('error', () => undefined).end();
    try {
      await waitUntil(async () => seen.join('').includes('"ADDED"'), { what: 'the watch', timeout: 10_000 });
      await administrator.patch(
        { kind: 'Image', namespace: 'default', name: 'first' },
        { spec: { serviceAccountName: 'changed' } },
      );
      await waitUntil(async () => seen.join('').includes('"serviceAccount":"changed"'), {
        what: 'the change',
        timeout: 10_000,
      });
      expect(seen.join('')).toContain('"apiVersion":"kpack.io/v1alpha1"');
    } finally {
      watching.destroy();
    }
  });

  it('says what is wrong with an object that cannot be converted: its schema before it is asked, and it itself with object and field', async () => {
    await expect(server.api.send('POST', olderImages, older('wrong', { build: 'none' }))).rejects.toThrow(
      /spec\.build in body must be of type object/,
    );
    const stored = await administrator.get<Stored>(authorityKey);
    const asked = (body: string, path = conversionPath): Promise<{ readonly status: number; readonly text: string }> =>
      new Promise((resolve, reject) => {
        const ca = Buffer.from(stored?.data?.['ca.crt'] ?? '', 'base64');
        const call = request(`https://127.0.0.1:${port}${path}`, { method: 'POST', ca, agent: false }, (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk;
          });
          response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
        });
        call.once('error', reject);
        call.end(body);
      });
    const review = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'ConversionReview',
      request: { uid: 'u', desiredAPIVersion: 'kpack.io/v1alpha2', objects: [older('wrong', { build: 'none' })] },
    };
    const { status, text } = await asked(JSON.stringify(review), `${conversionPath}?timeout=30s`);
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({
      response: { uid: 'u', result: { status: 'Failure', message: 'Image default/wrong: spec.build is no object' } },
    });
    expect(await asked('no review')).toMatchObject({ status: 400 });
    expect(await asked('{}', '/elsewhere')).toMatchObject({ status: 404 });
    expect((await asked('x'.repeat(5 * 1024 * 1024)).catch(() => ({ status: 413 }))).status).toBe(413);
  });

  it('has one authority however many processes serve it, and makes none anew without need', async () => {
    const before = await administrator.get<Stored>(authorityKey);
    const more = new AbortController();
    const second = await keep(0, more.signal);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(await administrator.get<Stored>(authorityKey)).toEqual(before);
    more.abort();
    await second.stopped;
  });

  it('gives an authority a successor before its end, and trusts both meanwhile', async () => {
    const stored = await administrator.get<Stored>(authorityKey);
    const ending = makeAuthority('ending', { now: new Date(), days: 300 });
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    await administrator.replace<Stored>({
      ...stored,
      data: { 'ca.crt': base64(ending.cert), 'ca.key': base64(ending.key) },
    });
    const more = new AbortController();
    await keep(0, more.signal);
    const bundle = async (): Promise<string> => {
      const definition = await administrator.get<Definition>(imagesKey);
      return Buffer.from(definition?.spec.conversion?.webhook?.clientConfig?.caBundle ?? '', 'base64').toString();
    };
    await waitUntil(async () => (await bundle()).includes(ending.cert.slice(30, 90)), {
      what: 'the successor',
      timeout: 20_000,
    });
    expect((await bundle()).match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    more.abort();
  });

  it('can be declined afterwards and asked for again: v1alpha1 is not served then, and is', async () => {
    const converter = { url: `https://127.0.0.1:${port}${conversionPath}` };
    const servedVersions = async (): Promise<readonly string[]> =>
      (await administrator.get<Definition>(imagesKey))?.spec.versions.map(({ name }) => name) ?? [];
    const stored = (await administrator.get<Definition>(imagesKey))?.spec.conversion?.webhook?.clientConfig?.caBundle;
    // Who installs without converting leaves those who do.
    await install(administrator, { tenantEverywhere: false });
    expect(await servedVersions()).toEqual(['v1alpha2', 'v1alpha1']);
    await askForNoConversion(administrator);
    await install(administrator, { tenantEverywhere: false });
    expect(await servedVersions()).toEqual(['v1alpha2']);
    await install(administrator, { tenantEverywhere: false, converter });
    expect(await servedVersions()).toEqual(['v1alpha2', 'v1alpha1']);
    await relay.patch(imagesKey, { spec: { conversion: { webhook: { clientConfig: { caBundle: stored } } } } });
    // Applied once more it leaves whom to trust where it is.
    await install(administrator, { tenantEverywhere: false, converter });
    expect((await administrator.get<Definition>(imagesKey))?.spec.conversion?.webhook?.clientConfig?.caBundle).toBe(
      stored,
    );
  }, 60_000);

  it('lets the account that converts change nothing in a definition but whom it trusts', async () => {
    const definition = await administrator.get<Definition>(imagesKey);
    const versions = definition?.spec.versions.map((version) => ({
      ...version,
      served: true,
      storage: version.name === 'v1alpha1',
    }));
    for (const [patch, why] of [
      [{ spec: { versions } }, /caBundle and nothing else/],
      [
        { spec: { conversion: { webhook: { clientConfig: { url: 'https://attacker.example/' } } } } },
        /caBundle and nothing else/,
      ],
      [{ spec: { conversion: { strategy: 'None', webhook: null } } }, /caBundle and nothing else/],
      [{ metadata: { annotations: { x: 'y' } } }, /caBundle and nothing else/],
    ] as const)
      await expect(relay.patch(imagesKey, patch)).rejects.toThrow(why);
    const caBundle = definition?.spec.conversion?.webhook?.clientConfig?.caBundle;
    await relay.patch(imagesKey, { spec: { conversion: { webhook: { clientConfig: { caBundle } } } } });
    await expect(relay.patch({ ...imagesKey, name: 'clusterstores.kpack.io' }, {})).rejects.toThrow(/forbidden/);
    await expect(relay.get({ kind: 'Secret', namespace: 'kpack', name: 'other' })).rejects.toThrow(/forbidden/);
    await expect(
      relay.create({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { namespace: 'kpack', name: 'kpackless-conversion-2' },
      }),
    ).rejects.toThrow(/forbidden/);
  });
});
