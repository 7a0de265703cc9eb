/** What a pass of an Image does and says: cases 1–28 of spec 02 §11.1. Rows that DESIGN §4 answers otherwise say so in their name. */
import { describe, expect, it } from 'vitest';
import { ExpectedError, PermanentError } from '../../../lib/errors/expected.ts';
import { KubeError } from '../../../lib/kube/errors.ts';
import { badStatus, goodStatus, imageWorld, namespace } from '../../support/image-world.ts';

const conflict = (): KubeError => new KubeError('conflict', 'the object has been modified', { status: 409 });
const notReady = { conditions: [{ type: 'Ready', status: 'False', message: 'something went wrong' }] } as const;

describe('builder', () => {
  it('02#1 an Image that is gone is no failure and nothing is written', async () => {
    const { kube, pass } = imageWorld();
    kube.remove('Image', 'image-name', namespace);
    expect(await pass()).toMatchObject({ outcome: 'gone', writes: [] });
  });

  it('02#2 a missing builder is said, and nothing is made or forgotten', async () => {
    const { pass, image } = imageWorld({ builder: null, status: { latestImage: 'app@x', buildCounter: 3 } });
    const { writes, outcome } = await pass();
    expect(outcome).toStrictEqual({ done: true });
    expect(writes).toStrictEqual(['replaceStatus Image some-namespace/image-name']);
    expect(image().status).toMatchObject({ latestImage: 'app@x', buildCounter: 3, observedGeneration: 1 });
    expect(image().status?.conditions).toMatchObject([
      {
        type: 'Ready',
        status: 'False',
        reason: 'BuilderNotFound',
        message: "Error: Unable to find builder 'builder-name' in namespace ''.",
      },
    ]);
  });

  it('02#3 and 02#9 the builder is declared as a dependency before it is read, so that its creation wakes the Image', async () => {
    const there = imageWorld({ builder: null });
    const { dependencies, declaredFirst } = await there.pass();
    expect(dependencies).toStrictEqual([{ kind: 'Builder', namespace, name: 'builder-name' }]);
    expect(declaredFirst).toBe(true);
    const cluster = imageWorld({ spec: { builder: { kind: 'ClusterBuilder', name: 'cb', namespace: 'x' } } });
    expect((await cluster.pass()).dependencies).toStrictEqual([{ kind: 'ClusterBuilder', namespace: '', name: 'cb' }]);
  });

  it('02#4 a missing ClusterBuilder is named with the namespace of the reference', async () => {
    const { pass, ready } = imageWorld({ spec: { builder: { kind: 'ClusterBuilder', name: 'cb', namespace: 'x' } } });
    await pass();
    expect(ready()?.message).toBe("Error: Unable to find builder 'cb' in namespace 'x'.");
  });

  it('02#5 a builder kind that does not exist is said in the condition (kpack retries silently)', async () => {
    const { pass, ready, image } = imageWorld({ spec: { builder: { kind: 'Foo', name: 'b' } } });
    expect((await pass()).outcome).toBeInstanceOf(PermanentError);
    expect(ready()).toMatchObject({ status: 'False', reason: 'BuilderNotFound' });
    expect(ready()?.message).toContain('unknown builder type: Foo');
    expect(image().status?.observedGeneration).toBe(1);
  });

  it('02#6 a Builder is looked for in the namespace of the Image, whatever the reference says', async () => {
    const { pass, ready, kube } = imageWorld({
      builder: null,
      spec: { builder: { kind: 'Builder', name: 'builder-name', namespace: 'elsewhere' } },
    });
    kube.put({
      apiVersion: 'kpack.io/v1alpha2',
      kind: 'Builder',
      metadata: { name: 'builder-name', namespace: 'elsewhere' },
    });
    await pass();
    expect(ready()?.reason).toBe('BuilderNotFound');
  });

  it('02#11 a builder that was not looked at since its spec changed is not ready', async () => {
    const { pass, ready } = imageWorld({
      builder: { observedGeneration: 0, conditions: [{ type: 'Ready', status: 'True', message: 'm' }] },
    });
    await pass();
    expect(ready()).toMatchObject({
      status: 'False',
      reason: 'BuilderNotReady',
      message: "Error: Builder 'builder-name' is not ready in namespace 'some-namespace'; Message: m",
    });
  });

  it('02#12 without conditions it is neither ready nor up to date; what was built is still told', async () => {
    const { pass, past, ready, condition, image } = imageWorld({ builder: { conditions: [] } });
    past(1, goodStatus);
    await pass();
    expect(ready()?.message).toBe("Error: Builder 'builder-name' is not ready in namespace 'some-namespace'");
    expect(condition('BuilderUpToDate')).toMatchObject({ status: 'False', reason: 'BuilderNotUpToDate' });
    expect(image().status?.latestImage).toBe(goodStatus.latestImage);
  });

  it('02#13 a builder that failed is said twice, and nothing is built', async () => {
    const { pass, ready, condition, builds } = imageWorld({ builder: notReady });
    await pass();
    const message =
      "Error: Builder 'builder-name' is not ready in namespace 'some-namespace'; Message: something went wrong";
    expect(ready()).toMatchObject({ status: 'False', reason: 'BuilderNotReady', message });
    expect(condition('BuilderReady')).toMatchObject({ status: 'False', reason: 'BuilderNotReady', message });
    expect(builds()).toStrictEqual([]);
  });

  it('02#14 a builder that is not ready is said before a source that is not', async () => {
    const { pass, ready } = imageWorld({ builder: notReady });
    await pass();
    expect(ready()?.reason).toBe('BuilderNotReady');
  });

  it('02#15 a ClusterBuilder has no namespace to name', async () => {
    const { pass, ready, kube } = imageWorld({ spec: { builder: { kind: 'ClusterBuilder', name: 'cb' } } });
    kube.put({ apiVersion: 'kpack.io/v1alpha2', kind: 'ClusterBuilder', metadata: { name: 'cb' } });
    await pass();
    expect(ready()?.message).toBe("Error: Builder 'cb' is not ready in namespace ''");
  });

  it('a builder that is Ready without an image is not ready', async () => {
    const { pass, ready, resolve, builds } = imageWorld({ builder: { latestImage: '' } });
    await pass();
    resolve();
    await pass();
    expect(ready()?.reason).toBe('BuilderNotReady');
    expect(builds()).toStrictEqual([]);
  });

  it('02#16 a builder that could not take in a change is still built with', async () => {
    const { pass, resolve, condition, builds } = imageWorld({
      builder: {
        conditions: [
          { type: 'Ready', status: 'True' },
          { type: 'UpToDate', status: 'False' },
        ],
      },
    });
    await pass();
    resolve();
    await pass();
    expect(builds()).toStrictEqual(['image-name-build-1']);
    expect(condition('BuilderReady')).toMatchObject({ status: 'True', reason: 'BuilderReady' });
    expect(condition('BuilderUpToDate')).toMatchObject({
      status: 'False',
      reason: 'BuilderNotUpToDate',
      message: 'Builder is not up to date. The latest stack and buildpacks may not be in use.',
    });
  });
});

describe('source and last Build', () => {
  it('02#7 and 02#17 a source that is not resolved: one status, and no Build', async () => {
    const { pass, image, ready, want } = imageWorld();
    await pass();
    want({ projectDescriptorPath: 'x' });
    const { writes } = await pass();
    expect(writes).toStrictEqual(['replaceStatus Image some-namespace/image-name']);
    expect(image().status?.observedGeneration).toBe(2);
    expect(ready()).toMatchObject({
      status: 'Unknown',
      reason: 'ResolverNotReady',
      message: "Error: SourceResolver 'image-name-source' is not ready",
    });
  });

  it('02#17 what the resolver says of itself is passed on (kpack leaves it out)', async () => {
    const { pass, kube, ready } = imageWorld();
    await pass();
    const status = { conditions: [{ type: 'Ready', status: 'False', message: 'no such repository' }] } as const;
    kube.edit('SourceResolver', 'image-name-source', (now) => ({ ...now, status }), namespace);
    await pass();
    expect(ready()?.message).toBe(
      "Error: SourceResolver 'image-name-source' is not ready; Message: no such repository",
    );
  });

  it('02#8 and 02#19 everything as desired: up to date, and nothing is written', async () => {
    const { pass, firstBuild, ready } = imageWorld();
    await firstBuild();
    expect(ready()).toMatchObject({ status: 'True', reason: 'UpToDate' });
    expect(ready()).not.toHaveProperty('message');
    expect(await pass()).toMatchObject({ writes: [], outcome: { done: true }, reads: 4 });
  });

  it('02#10 defaults count without being written', async () => {
    const { pass, image, resolver } = imageWorld({ spec: { serviceAccountName: '' } });
    await pass();
    expect(resolver()?.spec.serviceAccount).toBe('default');
    expect(image().spec).not.toHaveProperty('failedBuildHistoryLimit');
  });

  it('02#18 what the last Build made is told though the source is not ready', async () => {
    const { pass, past, image, ready } = imageWorld({ status: { latestImage: 'older', latestStack: 'older' } });
    past(1, goodStatus);
    await pass();
    expect(ready()?.reason).toBe('ResolverNotReady');
    expect(image().status).toMatchObject({ latestImage: goodStatus.latestImage, latestStack: 'stack' });
  });

  it('02#20 a failed Build is told with its words', async () => {
    const { firstBuild, ready } = imageWorld();
    await firstBuild(badStatus);
    expect(ready()).toMatchObject({
      status: 'False',
      reason: 'BuildFailed',
      message: "Error: Build 'image-name-build-1' in namespace 'some-namespace' failed: something went wrong",
    });
  });

  it('02#21 a failed Build without words; the last image stays, the stack does not', async () => {
    const { pass, firstBuild, ready, image, finish, resolve } = imageWorld();
    await firstBuild();
    resolve({ git: { url: 'https://git.example/app', revision: 'b'.repeat(40), type: 'Branch' } });
    await pass();
    finish(2, { conditions: [{ type: 'Succeeded', status: 'False' }], stack: { id: 'half-done', runImage: '' } });
    await pass();
    expect(ready()?.message).toBe("Error: Build 'image-name-build-2' in namespace 'some-namespace' failed: ");
    expect(image().status?.latestImage).toBe(goodStatus.latestImage);
    expect(image().status).not.toHaveProperty('latestStack');
  });

  it('02#22 while a Build runs only its words are passed on, whatever the user changes', async () => {
    const { pass, resolve, finish, want, image, ready } = imageWorld();
    await pass();
    resolve();
    await pass();
    finish(1, { conditions: [{ type: 'Succeeded', status: 'Unknown', message: 'Some build message' }] });
    const before = image().status;
    want({
      source: { git: { url: 'https://git.example/other', revision: 'main' } },
      cache: { volume: { size: '1Gi' } },
    });
    const { writes } = await pass();
    expect(writes).toStrictEqual(['replaceStatus Image some-namespace/image-name']);
    expect(ready()).toMatchObject({ status: 'Unknown', reason: 'BuildRunning', message: 'Some build message' });
    expect({ ...image().status, conditions: [] }).toStrictEqual({ ...before, conditions: [], observedGeneration: 2 });
  });

  it('02#23 a Build without conditions is executing; an Unknown without message says nothing', async () => {
    const { pass, resolve, finish, ready } = imageWorld();
    await pass();
    resolve();
    await pass();
    await pass();
    expect(ready()?.message).toBe("Build 'image-name-build-1' is executing");
    finish(1, { conditions: [{ type: 'Succeeded', status: 'Unknown' }] });
    await pass();
    expect(ready()).not.toHaveProperty('message');
  });

  it('02#24 a running Build is said before a builder that is not ready', async () => {
    const { pass, past, offer, ready, condition } = imageWorld();
    past(1, {});
    offer(notReady);
    await pass();
    expect(ready()).toMatchObject({ status: 'Unknown', reason: 'BuildRunning' });
    expect(condition('BuilderReady')?.status).toBe('False');
  });

  it('02#25 a builder that is gone is said before a running Build', async () => {
    const { pass, past, ready } = imageWorld({ builder: null });
    past(1, {});
    await pass();
    expect(ready()?.reason).toBe('BuilderNotFound');
  });

  it('a new Image is told nothing before the source was looked at: the answer is there in a moment', async () => {
    const { pass, ready, want } = imageWorld();
    expect(await pass()).toMatchObject({ outcome: { done: false } });
    expect(ready()).toBeUndefined();
    want({});
    await pass();
    expect(ready()?.reason).toBe('ResolverNotReady');
  });

  it('02#26 a conflict on the status is an expected failure; the next pass says the same', async () => {
    const { pass, kube, ready } = imageWorld();
    await pass();
    kube.failNext('replaceStatus', /Image/, conflict());
    expect((await pass()).outcome).toBeInstanceOf(ExpectedError);
    expect(ready()).toBeUndefined();
    await pass();
    expect(ready()?.reason).toBe('ResolverNotReady');
  });

  it('02#27 a generation that is no number is left out', async () => {
    const { pass, past, image } = imageWorld();
    const labels = {
      'image.kpack.io/buildNumber': '1',
      'image.kpack.io/image': 'image-name',
      'image.kpack.io/imageGeneration': 'x',
    };
    past(1, goodStatus, { labels });
    await pass();
    expect(image().status).toMatchObject({ latestBuildRef: 'image-name-build-1', buildCounter: 1 });
    expect(image().status).not.toHaveProperty('latestBuildImageGeneration');
  });

  it('02#28 an Image that is being deleted is left alone (kpack runs once more and may make children of it)', async () => {
    const { pass } = imageWorld({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['x/y'] } });
    expect(await pass()).toMatchObject({ outcome: 'gone', writes: [] });
  });
});

describe('failures', () => {
  it('an API server that fails leaves what was known and says what happened', async () => {
    const { pass, kube, firstBuild, ready, image } = imageWorld();
    await firstBuild();
    kube.failNext('get', /SourceResolver/, new KubeError('server', 'GET resolver: out of order', { status: 500 }));
    await pass();
    expect(ready()).toMatchObject({
      status: 'Unknown',
      reason: 'Retrying',
      message: 'GET resolver: out of order',
    });
    expect(image().status).toMatchObject({ latestImage: goodStatus.latestImage, latestBuildRef: 'image-name-build-1' });
    await pass();
    expect(ready()).toMatchObject({ status: 'True', reason: 'UpToDate' });
  });

  it('what both Build and lifecycle say stands beside each other in the message', async () => {
    const { firstBuild, ready } = imageWorld();
    const said = [{ type: 'Succeeded', status: 'True', message: 'rebased' }] as const;
    await firstBuild({ ...goodStatus, conditions: said, lifecycleVersion: '0.20.0' });
    expect(ready()?.message).toBe(
      "rebased; The builder's lifecycle says it is version 0.21.0, but the image it built says 0.20.0; it is not rebuilt for that.",
    );
  });

  it('times of conditions are those of their last change', async () => {
    const { pass, firstBuild, condition, resolve } = imageWorld();
    await firstBuild();
    const [builder, ready] = [condition('BuilderReady'), condition('Ready')];
    resolve({ git: { url: 'https://git.example/app', revision: 'b'.repeat(40), type: 'Branch' } });
    await pass();
    expect(condition('BuilderReady')?.lastTransitionTime).toBe(builder?.lastTransitionTime);
    expect(condition('Ready')?.lastTransitionTime).not.toBe(ready?.lastTransitionTime);
  });
});
