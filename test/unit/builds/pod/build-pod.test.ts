import { describe, expect, it } from 'vitest';
import { buildPod } from '../../../../lib/builds/pod/build-pod.ts';
import { PermanentError } from '../../../../lib/errors/expected.ts';
import { baseSecrets, buildB, contextB, mountsOf, step, stepsOf, variableOf, volumeNames } from '../base-build.ts';

const lifecycleSteps = ['analyze', 'detect', 'restore', 'build', 'export'];
const pod = (spec = {}, context = {}) => buildPod(buildB(spec), contextB(context));

describe('the shape of a build pod', () => {
  it('03#1 has a deterministic name, the labels and annotations of its Build and one controller', () => {
    const made = buildPod(
      buildB(
        {},
        { labels: { a: 'b' }, annotations: { c: 'd', 'kubectl.kubernetes.io/last-applied-configuration': '{}' } },
      ),
      contextB(),
    );
    expect(made.metadata).toEqual({
      name: 'build-name-build-pod',
      namespace: 'some-namespace',
      labels: { a: 'b', 'kpack.io/build': 'build-name' },
      annotations: {
        c: 'd',
        'sidecar.istio.io/inject': 'false',
        'eks.amazonaws.com/skip-containers': 'detect,build',
        'azure.workload.identity/skip-containers': 'detect;build',
      },
      ownerReferences: [
        {
          apiVersion: 'kpack.io/v1alpha2',
          kind: 'Build',
          name: 'build-name',
          uid: 'build-uid',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    });
  });

  it('03#2 has a name of 63 characters however long the Build’s is', () => {
    const build = 'a23456789-123456789-12442f86eac57c245b54f2210b2b96771f-build-12';
    const made = buildPod(buildB({}, { name: build }), contextB());
    expect(made.metadata?.name).toBe('a23456789-123456789-19f5747d30adc77aa43b7ddd75d9aa04a-build-pod');
    expect(made.metadata?.name).toHaveLength(63);
  });

  it('03#3 03#5 runs as the account of the Build and the user of the builder', () => {
    expect(pod().spec?.serviceAccountName).toBe('someserviceaccount');
    expect(pod().spec?.securityContext).toEqual({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
      runAsUser: 2000,
      runAsGroup: 3000,
      fsGroup: 3000,
    });
  });

  it('03#4 03#49 03#50 copies scheduling and the deadline, adding nothing', () => {
    const spec = {
      nodeSelector: { foo: 'bar' },
      tolerations: [{ key: 'k' }],
      affinity: { podAffinity: {} },
      priorityClassName: 'p',
      schedulerName: 's',
      runtimeClassName: 'r',
      activeDeadlineSeconds: 1800,
    };
    expect(pod(spec).spec).toMatchObject({ ...spec, restartPolicy: 'Never' });
    expect(pod(spec).spec?.nodeSelector).toEqual({ foo: 'bar' });
  });

  it('03#6 03#38 runs prepare and completion of ours around the builder’s lifecycle', () => {
    expect(pod().spec?.initContainers?.map(({ name }) => name)).toEqual(['prepare', ...lifecycleSteps]);
    expect(pod().spec?.containers.map(({ name }) => name)).toEqual(['completion']);
    expect(lifecycleSteps.map((name) => step(pod(), name).image)).toEqual(lifecycleSteps.map(() => 'BI'));
  });

  it('03#7 shows the lifecycle the sub path and prepare the whole source', () => {
    const made = pod({ source: { git: { url: 'u', revision: 'r' }, subPath: 'some/path' } });
    const workspace = (name: string) => step(made, name).volumeMounts?.find((mount) => mount.name === 'workspace-dir');
    expect(workspace('prepare')).toEqual({ name: 'workspace-dir', mountPath: '/workspace' });
    for (const name of ['detect', 'build', 'export']) expect(workspace(name)?.subPath).toBe('some/path');
  });

  it('takes the leading slash off a sub path, which Kubernetes would refuse', () => {
    const made = pod({ source: { git: { url: 'u', revision: 'r' }, subPath: '/some/path' } });
    expect(step(made, 'detect').volumeMounts).toContainEqual({
      name: 'workspace-dir',
      mountPath: '/workspace',
      subPath: 'some/path',
    });
  });

  it('03#39 gives every container the resources unchanged', () => {
    const resources = { limits: { memory: '1Gi', cpu: 2 }, requests: { cpu: '100m' } };
    const expected = { limits: { memory: '1Gi', cpu: '2' }, requests: { cpu: '100m' } };
    expect(stepsOf(pod({ resources })).map((container) => container.resources)).toEqual(
      Array.from({ length: 7 }, () => expected),
    );
  });

  it('03#66 satisfies the Pod Security Standard restricted', () => {
    for (const container of stepsOf(pod()))
      expect(container.securityContext).toEqual({
        runAsNonRoot: true,
        allowPrivilegeEscalation: false,
        privileged: false,
        seccompProfile: { type: 'RuntimeDefault' },
        capabilities: { drop: ['ALL'] },
      });
    const kinds = new Set(
      (pod().spec?.volumes ?? []).flatMap((volume) => Object.keys(volume).filter((key) => key !== 'name')),
    );
    expect([...kinds].sort()).toEqual(['emptyDir', 'persistentVolumeClaim', 'secret']);
  });

  it('03#46 pulls images with the builder’s pull secrets alone', () => {
    expect(pod().spec?.imagePullSecrets).toEqual([{ name: 'builder-pull-secret' }]);
    expect(pod({ builder: { image: 'b' } }).spec).not.toHaveProperty('imagePullSecrets');
  });

  it('refuses a tag that is no image name, as only a new Build can help', () => {
    expect(() => pod({ tags: ['Not A Tag'] })).toThrow(PermanentError);
  });
});

describe('bindings', () => {
  const service = (name: string, secret?: string) => ({ kind: 'service' as const, name, secret });
  const cnb = (name: string, secret?: string) => ({ kind: 'cnb' as const, name, metadata: `${name}-map`, secret });

  it('03#8 03#26 03#31 mounts services in detect and build only, read-only', () => {
    const made = pod({}, { bindings: [service('database', 's1'), service('apm', 's2')] });
    const mounts = 'layers-dir analyzed-dir platform-dir workspace-dir binding-database binding-apm'.split(' ');
    expect(
      stepsOf(made)
        .filter(({ name }) => mountsOf(made, name).includes('binding-apm'))
        .map((c) => c.name),
    ).toEqual(['detect', 'build']);
    expect(mountsOf(made, 'detect')).toEqual(mounts);
    expect(mountsOf(made, 'build')).toEqual(mounts);
    expect(step(made, 'detect').volumeMounts).toContainEqual({
      name: 'binding-apm',
      mountPath: '/platform/bindings/apm',
      readOnly: true,
    });
    expect(made.spec?.volumes).toContainEqual({ name: 'binding-database', secret: { secretName: 's1' } });
  });

  it('03#9 mounts metadata and secret of a CNB binding side by side', () => {
    const made = pod({}, { bindings: [cnb('db', 's')] });
    expect(made.spec?.volumes?.slice(-2)).toEqual([
      { name: 'binding-metadata-db', configMap: { name: 'db-map' } },
      { name: 'binding-secret-db', secret: { secretName: 's' } },
    ]);
    expect(step(made, 'build').volumeMounts?.slice(-2)).toEqual([
      { name: 'binding-metadata-db', mountPath: '/platform/bindings/db/metadata', readOnly: true },
      { name: 'binding-secret-db', mountPath: '/platform/bindings/db/secret', readOnly: true },
    ]);
  });

  it('have volumes of their own however alike their names are, and mount where they are called', () => {
    const made = pod({}, { bindings: [service('a.b', 's'), service('a-b', 's'), service('a.b'.repeat(50), 's')] });
    const names = volumeNames(made).filter((name) => name.startsWith('binding-'));
    expect(new Set(names).size).toBe(3);
    expect(names).toContain('binding-a-b');
    for (const name of names) expect(name).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
    expect(step(made, 'build').volumeMounts?.map(({ mountPath }) => mountPath)).toContain('/platform/bindings/a.b');
  });

  it.each(['../../programs', 'a/b', '..', '.', '', 'a b', 'ä', 'x'.repeat(254)])(
    'are not mounted where the name %j would lead',
    (name) => {
      expect(() => pod({}, { bindings: [cnb(name, 's')] })).toThrow(PermanentError);
      expect(() => pod({}, { bindings: [service(name, 's')] })).toThrow('it becomes the name of a folder');
    },
  );

  it('03#10 03#11 leaves out what has no secret', () => {
    expect(volumeNames(pod({}, { bindings: [cnb('db')] })).slice(-1)).toEqual(['binding-metadata-db']);
    expect(volumeNames(pod({}, { bindings: [service('db')] })).filter((name) => name.startsWith('binding'))).toEqual(
      [],
    );
  });
});

describe('credentials of a build pod', () => {
  it('03#12 hands prepare one flag per secret, in order', () => {
    expect(step(pod(), 'prepare').args).toEqual([
      '-basic-git=git-secret-1=https://github.com',
      '-ssh-git=git-secret-2=https://bitbucket.com',
      '-basic-docker=docker-secret-1=acr.io',
      '-dockerconfig=docker-secret-2',
      '-dockercfg=docker-secret-3',
      '-dockerconfig=secret.with.dots',
      '-imagepull=image-pull-1',
      '-imagepull=image-pull-2',
      '-imagepull=builder-pull-secret',
    ]);
  });

  it('03#13 03#14 03#15 numbers volumes by the secret’s place in the account, ignored ones counting', () => {
    expect(step(pod(), 'prepare').volumeMounts).toContainEqual({
      name: 'secret-volume-4',
      mountPath: '/var/build-secrets/docker-secret-2',
      readOnly: true,
    });
    expect(volumeNames(pod()).filter((name) => name.includes('secret-volume'))).toEqual(
      ['0', '1', '2', '4', '5', '6']
        .map((index) => `secret-volume-${index}`)
        .concat(['0', '1', '2'].map((index) => `pull-secret-volume-${index}`)),
    );
    expect(pod().spec?.volumes).toContainEqual({
      name: 'pull-secret-volume-2',
      secret: { secretName: 'builder-pull-secret' },
    });
  });

  it.each([
    ['03#16', 'secret', true, 'true'],
    ['03#17', 'helper', false, 'true'],
    ['03#18', undefined, false, 'false'],
  ] as const)('%s gives blob secrets only to a source with auth secret (auth %s)', (_, auth, mounted, said) => {
    const made = pod({ source: { blob: { url: 'https://blobstore.com/a.zip', auth } } });
    expect(step(made, 'prepare').args?.includes('-blob=blob-secret=blobstore.com')).toBe(mounted);
    expect(mountsOf(made, 'prepare').includes('secret-volume-7')).toBe(mounted);
    expect(variableOf(made, 'prepare', 'BLOB_AUTH')).toBe(said);
  });

  it('03#45 mounts a pull secret once when account and builder both list it', () => {
    const made = pod(
      { builder: { image: 'b', imagePullSecrets: [{ name: 'duplicated-secret' }] } },
      { pullSecrets: ['duplicated-secret'] },
    );
    expect(volumeNames(made).filter((name) => name.startsWith('pull-secret'))).toEqual(['pull-secret-volume-0']);
    expect(step(made, 'prepare').args?.filter((arg) => arg.startsWith('-imagepull'))).toEqual([
      '-imagepull=duplicated-secret',
    ]);
  });

  it('mounts a builder’s pull secret once when it is also among the account’s secrets', () => {
    const made = pod({ builder: { image: 'b', imagePullSecrets: [{ name: 'docker-secret-2' }] } });
    const paths = step(made, 'prepare').volumeMounts?.map(({ mountPath }) => mountPath) ?? [];
    expect(paths).toHaveLength(new Set(paths).size);
    expect(paths).toContain('/var/build-secrets/docker-secret-2');
  });

  it('makes one volume of a secret that is both credential and signing key', () => {
    const both = { name: 'both', type: 'kubernetes.io/dockerconfigjson', annotations: {}, signsImages: true };
    const made = pod({}, { secrets: [both] });
    expect(volumeNames(made).filter((name) => name === 'secret-volume-0')).toHaveLength(1);
    expect(mountsOf(made, 'completion').filter((name) => name === 'secret-volume-0')).toHaveLength(2);
  });

  it('03#73 keeps signing keys from prepare', () => {
    const key = { name: 'key', type: 'Opaque', annotations: {}, signsImages: true };
    const made = pod({}, { secrets: [...baseSecrets, key] });
    expect(mountsOf(made, 'prepare')).not.toContain('secret-volume-9');
    expect(mountsOf(made, 'completion')).toContain('secret-volume-9');
  });
});

describe('a cache image', () => {
  it.each([
    ['cache.example/cc@sha256:' + 'c'.repeat(64), 'cache.example/cc:1', true],
    ['cache.example/old@sha256:' + 'c'.repeat(64), 'cache.example/cc:1', false],
    ['nonsense nonsense', 'cache.example/cc:1', false],
  ])('of the last build, %s, is read only beside where it is written, %s', (image, tag, isRead) => {
    const pod = buildPod(buildB({ cache: { registry: { tag } }, lastBuild: { cache: { image } } }), contextB());
    expect(step(pod, 'restore').args).toContain(`-cache-image=${isRead ? image : tag}`);
    expect(step(pod, 'export').args).toContain(`-cache-image=${tag}`);
  });
});
