/** A git host that is down holds back no Build that does not need it. */
import { describe, expect, it } from 'vitest';
import type { ConditionStatus } from '../../../lib/api/condition.ts';
import type { ResolvedSourceConfig } from '../../../lib/api/source-config.ts';
import type { SourceResolver } from '../../../lib/api/source-resolver.ts';
import { readySource } from '../../../lib/images/resolved-source.ts';
import { digest, gitSource, imageWorld, namespace } from '../../support/image-world.ts';

const resolver = (
  ready: ConditionStatus | undefined,
  {
    generation = 1,
    observed = 1,
    source,
  }: { generation?: number; observed?: number; source?: ResolvedSourceConfig } = {},
): SourceResolver => ({
  apiVersion: 'kpack.io/v1alpha2',
  kind: 'SourceResolver',
  metadata: { name: 'app-source', namespace, generation },
  spec: { serviceAccount: '', source: {} },
  status: {
    observedGeneration: observed,
    conditions: ready === undefined ? [] : [{ type: 'Ready', status: ready }],
    ...(source === undefined ? {} : { source }),
  },
});

describe('the source to build from', () => {
  it.each([
    ['True', gitSource],
    ['Unknown', gitSource],
    ['False', undefined],
    [undefined, undefined],
  ] as const)('of a resolver that is Ready %s is %j', (ready, expected) => {
    expect(readySource(resolver(ready, { source: gitSource }))).toEqual(expected);
  });

  it('is never that of an older spec', () => {
    for (const ready of ['True', 'Unknown'] as const)
      expect(readySource(resolver(ready, { generation: 2, source: gitSource }))).toBeUndefined();
  });

  it('is none while nothing was found yet', () => {
    expect(readySource(resolver('Unknown'))).toBeUndefined();
  });
});

describe('an Image whose git host is down', () => {
  const built = async () => {
    const w = imageWorld();
    await w.firstBuild();
    return w;
  };
  const down = (w: Awaited<ReturnType<typeof built>>, status: ConditionStatus): void => {
    w.kube.edit(
      'SourceResolver',
      'image-name-source',
      (now) => ({
        ...now,
        status: {
          ...(now.status as object),
          conditions: [{ type: 'Ready', status, reason: 'GitHostUnreachable', message: 'down' }],
        },
      }),
      namespace,
    );
  };

  const newRunImage = {
    latestImage: `registry.example/builder@${digest('8')}`,
    stack: { id: 'stack', runImage: `registry.example/run@${digest('3')}` },
  };

  it('stays Ready, and takes a new run image on the commit it has', async () => {
    const w = await built();
    down(w, 'Unknown');
    await w.pass();
    expect(w.ready()).toMatchObject({ status: 'True' });
    w.offer(newRunImage);
    await w.pass();
    expect(w.build(2)?.metadata.annotations).toMatchObject({ 'image.kpack.io/reason': 'STACK' });
    expect(w.build(2)?.spec.source).toEqual({ git: { url: gitSource.git?.url, revision: gitSource.git?.revision } });
  });

  it('waits once somebody has to act', async () => {
    const w = await built();
    down(w, 'False');
    w.offer(newRunImage);
    await w.pass();
    expect(w.build(2)).toBeUndefined();
    // False ends `kp … --wait`, which would wait on while it is Unknown.
    expect(w.ready()).toMatchObject({ status: 'False', reason: 'ResolverNotReady' });
  });

  it('is told nothing of the source it had when it is given another', async () => {
    const w = await built();
    down(w, 'False');
    w.want({ source: { git: { url: 'https://git.example/app', revision: 'other' } } });
    await w.pass();
    await w.pass();
    expect(w.ready()).toMatchObject({ status: 'Unknown', reason: 'ResolverNotReady' });
  });

  it('builds nothing when it is given another source meanwhile', async () => {
    const w = await built();
    down(w, 'Unknown');
    w.want({ source: { git: { url: 'https://git.example/app', revision: 'other' } } });
    await w.pass();
    await w.pass();
    expect(w.build(2)).toBeUndefined();
    expect(w.ready()).toMatchObject({ status: 'Unknown', reason: 'ResolverNotReady' });
  });
});
