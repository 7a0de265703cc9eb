/** Whether a Build is made and why: cases 48–62, 73–83, 86–87 of spec 02 §11.3; those about the builder are in builder-changes.test.ts. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { ResolvedSourceConfig } from '../../../lib/api/source-config.ts';
import { configJson } from '../../../lib/images/build-config.ts';
import { changesText, longestChanges, reasonsText } from '../../../lib/images/build-required.ts';
import { buildChangeLines } from '../../../lib/steps/build-changes.ts';
import { goJson } from '../../../lib/text/go-json.ts';
import { badStatus, gitSource, goodStatus, imageWorld, namespace, revision } from '../../support/image-world.ts';
import { additional, afterChange, git, type Step } from './after-change.ts';

const blob: ResolvedSourceConfig = { blob: { url: 'https://blob.example/a.zip' } };
const registry: ResolvedSourceConfig = { registry: { image: 'registry.example/src:1' } };

describe('CONFIG', () => {
  it('02#48 is the reason of the first Build', async () => {
    const world = imageWorld();
    await world.firstBuild();
    expect(world.build(1)?.metadata.annotations).toMatchObject({
      'image.kpack.io/reason': 'CONFIG',
      'image.kpack.io/buildChanges': `[{"reason":"CONFIG","old":{"resources":{},"source":{}},"new":{"resources":{},"source":{"git":{"url":"https://git.example/app","revision":"${revision('a')}"}}}}]`,
    });
  });

  it.each<[string, Step]>([
    ['02#49 nothing changed', {}],
    [
      '02#55 an amount written otherwise',
      { had: { resources: { limits: { cpu: '1000m' } } }, build: { resources: { limits: { cpu: 1 } } } },
    ],
    [
      '02#55 an amount in powers of two and of ten',
      { had: { resources: { limits: { memory: '1Ki' } } }, build: { resources: { limits: { memory: '1024' } } } },
    ],
    ['an empty list instead of none', { had: { env: [] }, build: {} }],
  ])('%s: no Build', async (_name, step) => {
    const { end, made } = await afterChange(step);
    expect(made).toBeUndefined();
    expect(end.outcome).toStrictEqual({ done: true });
  });

  it('02#50 another account is no reason by itself', async () => {
    const world = imageWorld();
    await world.firstBuild();
    world.want({ serviceAccountName: 'other' });
    await world.pass();
    world.resolve();
    await world.pass();
    expect(world.builds()).toHaveLength(1);
  });

  it.each<[string, Step, unknown, unknown]>([
    [
      '02#51 a variable taken away',
      { had: { env: [{ name: 'keyA', value: 'v' }] }, build: {} },
      { env: [{ name: 'keyA', value: 'v' }] },
      {},
    ],
    [
      '02#52 variables in another order',
      { had: { env: [{ name: 'A' }, { name: 'B' }] }, build: { env: [{ name: 'B' }, { name: 'A' }] } },
      { env: [{ name: 'A' }, { name: 'B' }] },
      { env: [{ name: 'B' }, { name: 'A' }] },
    ],
    [
      '02#53 a service taken away',
      { had: { services: [{ kind: 'Secret', name: 'x' }] }, build: {} },
      { services: [{ kind: 'Secret', name: 'x' }] },
      {},
    ],
    [
      '02#54 a binding taken away',
      { had: { cnbBindings: [{ name: 'x', metadataRef: { name: 'm' }, secretRef: { name: 's' } }] }, build: {} },
      { cnbBindings: [{ name: 'x', metadataRef: { name: 'm' }, secretRef: { name: 's' } }] },
      {},
    ],
    [
      '02#56 another limit',
      {
        had: { resources: { limits: { cpu: '0.5' } } },
        build: { resources: { limits: { cpu: 2, memory: '1024Mi' } } },
      },
      { resources: { limits: { cpu: '500m' } } },
      { resources: { limits: { cpu: '2', memory: '1Gi' } } },
    ],
  ])('%s', async (_name, step, old, wanted) => {
    const { changes } = await afterChange(step);
    expect(changes).toMatchObject([{ reason: 'CONFIG', old, new: wanted }]);
    expect(Object.keys(changes[0]?.new as object)).not.toContain(
      Object.keys(old as object).find((key) => !Object.hasOwn(wanted as object, key)),
    );
  });

  it('02#53 keys stand in the order of kpack', async () => {
    const { made } = await afterChange({
      build: {
        cnbBindings: [{ name: 'x', metadataRef: { name: 'm' } }],
        services: [{ apiVersion: 'v1', kind: 'Secret', name: 'x' }],
        env: [{ value: 'a<b&c', name: 'E' }],
        resources: { requests: { memory: '1Gi', cpu: 1 } },
      },
    });
    const text = made?.metadata.annotations?.['image.kpack.io/buildChanges'] ?? '';
    expect(text.slice(text.indexOf('"new"'))).toBe(
      `"new":{"env":[{"name":"E","value":"a\\u003cb\\u0026c"}],"resources":{"requests":{"cpu":"1","memory":"1Gi"}},"services":[{"kind":"Secret","name":"x","apiVersion":"v1"}],"cnbBindings":[{"name":"x","metadataRef":{"name":"m"}}],"source":{"git":{"url":"https://git.example/app","revision":"${revision('a')}"}}}}]`,
    );
  });

  it('02#86 characters of HTML are escaped as Go does', async () => {
    const { made } = await afterChange({ build: { env: [{ name: 'E', value: 'a<b&c' }] } });
    expect(made?.metadata.annotations?.['image.kpack.io/buildChanges']).toContain('a\\u003cb\\u0026c');
  });

  it('a change too long for an annotation and a variable names its reason alone, and is built (kpack’s step cannot start)', async () => {
    const long = (size: number) => ({ build: { env: [{ name: 'LONG', value: 'ä'.repeat(size) }] } });
    const { made, reason } = await afterChange(long(60_000));
    expect(reason).toBe('CONFIG');
    const text = made?.metadata.annotations?.['image.kpack.io/buildChanges'] ?? '';
    expect(text).toBe('[{"reason":"CONFIG","old":null,"new":null}]');
    expect(buildChangeLines(text)[0]).toBe('Build reason(s): CONFIG');
    const { changes } = await afterChange(long(40_000));
    expect(changes[0]).toMatchObject({ new: { env: [{ name: 'LONG' }] } });
    // What Linux takes as one variable of a process: less than 128 KiB, the name included.
    const start = (size: number) =>
      spawnSync('true', { env: { ...process.env, BUILD_CHANGES: 'x'.repeat(size) } }).status;
    expect([start(longestChanges), start(128 * 1024)]).toEqual([0, null]);
  });

  it('where a value of an older Build came from, though it is refused today, counts in what it was made of', () => {
    const env = [
      { name: 'A', valueFrom: { configMapKeyRef: { key: 'k', name: 'm', optional: false } } },
      { name: 'B', valueFrom: { secretKeyRef: { key: 'k', name: 's' } } },
    ];
    expect(
      goJson(configJson({ env, resources: undefined, services: undefined, cnbBindings: undefined, source: {} })),
    ).toContain(
      '"env":[{"name":"A","valueFrom":{"configMapKeyRef":{"name":"m","key":"k","optional":false}}},{"name":"B","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}}]',
    );
  });

  it('where a value comes from is printed as Kubernetes types order it', async () => {
    const { made } = await afterChange({
      build: {
        env: [
          { name: 'B', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', containerName: 'build' } } },
          { name: 'C', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        ],
      },
    });
    expect(made?.metadata.annotations?.['image.kpack.io/buildChanges']).toContain(
      '"env":[{"name":"B","valueFrom":{"resourceFieldRef":{"containerName":"build","resource":"limits.cpu","divisor":"0"}}},{"name":"C","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}]',
    );
  });

  it.each<[string, ResolvedSourceConfig, ResolvedSourceConfig]>([
    ['02#73 another repository', gitSource, git({ url: 'https://git.example/other' })],
    ['02#74 another directory', gitSource, git({ subPath: 'go' })],
    ['02#77 submodules', gitSource, git({ initializeSubmodules: true })],
    ['02#78 git instead of an archive', blob, gitSource],
    ['02#79 another archive', blob, { blob: { url: 'https://blob.example/b.zip' } }],
    ['02#79 another directory of the archive', blob, { blob: { url: 'https://blob.example/a.zip', subPath: 'x' } }],
    [
      'other components to strip (lost by kpack, DESIGN §4)',
      blob,
      { blob: { url: 'https://blob.example/a.zip', stripComponents: 1 } },
    ],
    ['02#80 another source image', registry, { registry: { image: 'registry.example/src:2' } }],
    [
      '02#80 another directory of the source image',
      registry,
      { registry: { image: 'registry.example/src:1', subPath: 'x' } },
    ],
    [
      '02#80 other pull secrets',
      registry,
      { registry: { image: 'registry.example/src:1', imagePullSecrets: [{ name: 's' }] } },
    ],
  ])('%s', async (_name, from, source) => {
    expect((await afterChange({ from, source })).reason).toBe('CONFIG');
  });

  it('02#73 and 02#74 the annotation has revisions, and the directory beside the repository', async () => {
    const { changes } = await afterChange({ source: git({ subPath: 'go' }) });
    expect(changes[0]).toMatchObject({
      old: { source: { git: { revision: revision('a') } } },
      new: { source: { git: { revision: revision('a') }, subPath: 'go' } },
    });
  });
});

describe('COMMIT and TRIGGER', () => {
  it.each([
    ['02#75 after a success', goodStatus],
    ['02#59 after a failure', badStatus],
  ])('a new revision %s', async (_name, first) => {
    const { changes } = await afterChange({ first, source: git({ revision: revision('b') }) });
    expect(changes).toStrictEqual([{ reason: 'COMMIT', old: revision('a'), new: revision('b') }]);
  });

  it('02#76 revision and repository', async () => {
    const { reason } = await afterChange({
      source: git({ revision: revision('b'), url: 'https://git.example/other' }),
    });
    expect(reason).toBe('COMMIT,CONFIG');
  });

  it.each<[string, Step]>([
    ['02#60 the last Build is annotated', { annotate: { [additional]: 'true' } }],
    ['02#61 with an empty value, after a failure', { first: badStatus, annotate: { [additional]: '' } }],
  ])('%s: once', async (_name, step) => {
    const { changes, world } = await afterChange(step);
    expect(changes).toStrictEqual([
      {
        reason: 'TRIGGER',
        old: '',
        new: 'A new build was manually triggered on Thu, 01 Jan 2026 10:00:04 +0000',
      },
    ]);
    world.finish(2, goodStatus);
    await world.pass();
    await world.pass();
    expect(world.builds()).toHaveLength(2);
  });

  it('02#62 an older Build that is annotated asks for nothing', async () => {
    const { world } = await afterChange({ source: git({ revision: revision('b') }) });
    world.finish(2, goodStatus);
    world.annotate(1, { [additional]: 'true' });
    await world.pass();
    expect(world.builds()).toHaveLength(2);
  });
});

describe('not yet', () => {
  it('02#87 no change has no reasons', () => {
    expect(reasonsText([])).toBe('');
    expect(changesText([])).toBe('[]');
  });

  it.each([
    ['02#81 says False', { conditions: [{ type: 'Ready', status: 'False' }] }],
    ['02#81 says nothing', {}],
    [
      '02#82 has not looked at its new spec',
      { observedGeneration: 0, conditions: [{ type: 'Ready', status: 'True' }], source: blob },
    ],
  ] as const)('a resolver that %s: no Build', async (_name, status) => {
    const world = imageWorld();
    await world.firstBuild();
    world.annotate(1, { [additional]: '' });
    world.kube.edit('SourceResolver', 'image-name-source', (now) => ({ ...now, status }), namespace);
    await world.pass();
    expect(world.builds()).toHaveLength(1);
    expect(world.ready()?.reason).toBe('ResolverNotReady');
  });

  it('02#83 a builder that is not ready: no Build', async () => {
    const { made, world } = await afterChange({
      source: git({ url: 'https://git.example/other' }),
      offer: { conditions: [{ type: 'Ready', status: 'False' }] },
    });
    expect(made).toBeUndefined();
    expect(world.ready()?.reason).toBe('BuilderNotReady');
  });
});
