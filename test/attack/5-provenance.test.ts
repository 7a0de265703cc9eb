/**
 * A tenant changes what the system's key is asked to sign: labels and files that its own code writes, the message of a step, the Build itself.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sourceMessage } from '../../lib/builds/source-message.ts';
import { type FakeRegistry, startFakeRegistry } from '../support/fake-registry.ts';
import { type AttestingWorld, commit, ranWell } from '../unit/builds/attesting-world.ts';
import {
  appFacts,
  builds,
  completionMessage,
  digestOf,
  podPath,
  secret,
  type WorldOptions,
} from '../unit/builds/build-world.ts';
import { attackedWorld, builtUnsigned, seen, statusOf, taken } from './tenant-pods.ts';

let registry: FakeRegistry;
beforeEach(async () => {
  registry = await startFakeRegistry();
});
afterEach(async () => await registry.close());

const begin = (options?: WorldOptions): AttestingWorld => attackedWorld(registry, options);

describe('what code of the application can write', () => {
  it('is no source: neither a label of the image nor a file behind it', async () => {
    const world = begin();
    const label = JSON.stringify({
      source: {
        type: 'git',
        metadata: { repository: 'https://reviewed.example/app' },
        version: { commit: 'f'.repeat(40) },
      },
    });
    const labels = { ...appFacts.labels, 'io.buildpacks.project.metadata': label };
    world.images.known.set(`${registry.host}/team/app`, { ...appFacts, labels });
    await world.built();
    const { statement } = await world.attestation();
    expect(JSON.stringify(statement)).not.toContain('reviewed.example');
    expect(statement.predicate.buildDefinition.resolvedDependencies[0]).toEqual({
      name: 'source',
      uri: 'https://github.com/a/b',
      digest: { sha1: commit },
    });
  });

  it('is no lifecycle: its version is the builder’s', async () => {
    const world = begin();
    const build = JSON.stringify({ launcher: { version: '99.99.99' } });
    world.images.known.set(`${registry.host}/team/app`, {
      ...appFacts,
      labels: { ...appFacts.labels, 'io.buildpacks.build.metadata': build },
    });
    await world.built();
    expect(JSON.stringify((await world.attestation()).statement)).not.toContain('99.99.99');
  });

  it.each([
    ['another image of the repository', (app: string) => `${app}@${digestOf('7')}`],
    ['an image of another repository', (app: string) => `${app.replace('/team/', '/victim/')}@${digestOf('a')}`],
    ['an image without a digest', (app: string) => app],
  ])('does not make it %s that is signed: the tag must say so, too', async (_, image) => {
    const world = begin();
    await world.pass();
    const status = world.endedWell();
    const message = completionMessage({ latestImage: image(`${registry.host}/team/app`) });
    world.podSays({ ...status, containerStatuses: [ranWell('completion', message)] });
    await world.pass();
    expect(await seen(world)).toEqual(builtUnsigned('the pod says that it made'));
  });

  it('does not make up for a message that is lost: what a tag holds may be anybody’s', async () => {
    const world = begin();
    await world.pass();
    world.podSays({ ...world.endedWell(), containerStatuses: [ranWell('completion')] });
    await world.pass();
    expect(await seen(world)).toEqual(builtUnsigned('the step completion does not say which image it made'));
  });

  it('does not fetch: a source that the Build does not name is told', async () => {
    const world = begin();
    await world.pass();
    const status = world.endedWell();
    const message = sourceMessage({ type: 'blob', id: 'e'.repeat(64) });
    world.podSays({
      ...status,
      initContainerStatuses: statusOf(status.initContainerStatuses, 'prepare', {
        state: { terminated: { exitCode: 0, message } },
      }),
    });
    await world.pass();
    expect(await seen(world)).toEqual(builtUnsigned('another source than the Build names'));
  });
});

describe('the spec of a Build, changed after it began', () => {
  /** As where the admission policy is missing. */
  const change = (world: AttestingWorld): void => {
    const { spec, metadata, ...build } = world.build();
    world.cluster.remove(`${builds}/build-name`);
    const source = { git: { url: 'https://reviewed.example/app', revision: 'main' } };
    world.cluster.put(builds, {
      ...build,
      metadata: { ...metadata, generation: 2 },
      spec: { ...(spec as object), source },
    } as object);
  };

  it.each(['Running', 'Succeeded'])('ends it, and its pod that is %s; nothing is signed', async (phase) => {
    const world = begin();
    await world.pass();
    world.podSays(phase === 'Running' ? { phase } : world.endedWell());
    change(world);
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'False', reason: 'SpecChanged' });
    expect(world.cluster.has(podPath)).toBe(phase === 'Succeeded');
    expect(await seen(world)).toMatchObject({ isSigned: false });
    await world.pass();
    expect(world.cluster.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  it('and whose record was lost with the change makes its pod somebody else’s', async () => {
    const world = begin();
    await world.pass();
    world.podSays(world.endedWell());
    change(world);
    world.loseRecord();
    await world.pass();
    expect(await seen(world)).toEqual(taken('spec.initContainers[prepare].env'));
  });

  it('is not changed by defaults of a newer schema', async () => {
    const world = begin();
    await world.pass();
    const { spec, ...build } = world.build();
    world.cluster.remove(`${builds}/build-name`);
    world.cluster.put(builds, { ...build, spec: { ...(spec as object), defaultProcess: 'web' } } as object);
    world.podSays(world.endedWell());
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'True' });
  });
});

describe('what an attestation shows', () => {
  it('is variables by name and URLs without secrets', async () => {
    const world = begin({
      spec: {
        env: [
          { name: 'PASSWORD', value: 'sesame' },
          { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        ] as never,
        source: { git: { url: 'https://bob:hunter2@github.com/a/b?token=tok3n', revision: 'main' } },
        services: [{ kind: 'Secret', name: 'database' }],
      },
    });
    const { path, object } = secret('database');
    world.cluster.put(path, object);
    await world.built();
    const { statement } = await world.attestation();
    expect(statement.predicate.buildDefinition.externalParameters).toMatchObject({
      env: [{ name: 'PASSWORD' }, { name: 'POD' }],
      services: [{ kind: 'Secret', name: 'database' }],
    });
    expect(statement.predicate.buildDefinition.resolvedDependencies[0]).toMatchObject({
      uri: 'https://github.com/a/b?token=REDACTED',
    });
    for (const secret of ['sesame', 'hunter2', 'tok3n', 'secretKeyRef'])
      expect(JSON.stringify(statement)).not.toContain(secret);
  });
});
