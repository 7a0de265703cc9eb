import { describe, expect, it } from 'vitest';
import { buildPod } from '../../../../lib/builds/pod/build-pod.ts';
import {
  baseSecrets,
  buildB,
  contextB,
  cosignSecret,
  mountsOf,
  step,
  stepsOf,
  variableOf,
  volumeNames,
} from '../base-build.ts';

const pod = (spec = {}, context = {}) => buildPod(buildB(spec), contextB(context));

describe('prepare', () => {
  it('03#19 hands on the Build’s environment under a prefix, wherever values come from', () => {
    const valueFrom = { secretKeyRef: { name: 's', key: 'k' } };
    const made = pod({
      env: [
        { name: 'keyA', value: 'valueA' },
        { name: 'keyC', valueFrom },
      ],
    });
    expect(step(made, 'prepare').env).toContainEqual({ name: 'PLATFORM_ENV_keyA', value: 'valueA' });
    expect(step(made, 'prepare').env).toContainEqual({ name: 'PLATFORM_ENV_keyC', valueFrom });
  });

  it('03#20 is told tag and run image', () => {
    expect(variableOf(pod(), 'prepare', 'IMAGE_TAG')).toBe('someimage/name');
    expect(variableOf(pod(), 'prepare', 'RUN_IMAGE')).toBe('builderregistry.io/run');
    expect(variableOf(pod(), 'prepare', 'DNS_PROBE_HOSTNAME')).toBe('index.docker.io');
  });

  it('03#21 writes platform, source, home and project metadata', () => {
    expect(step(pod(), 'prepare').volumeMounts?.slice(-4)).toEqual([
      { name: 'platform-dir', mountPath: '/platform' },
      { name: 'workspace-dir', mountPath: '/workspace' },
      { name: 'home-dir', mountPath: '/builder/home' },
      { name: 'project-metadata-dir', mountPath: '/projectMetadata' },
    ]);
  });

  it('03#22 is told a git source', () => {
    const made = pod({ source: { git: { url: 'u', revision: 'r', initializeSubmodules: true } } });
    expect(step(made, 'prepare').env?.slice(0, 3)).toEqual([
      { name: 'GIT_URL', value: 'u' },
      { name: 'GIT_REVISION', value: 'r' },
      { name: 'GIT_INITIALIZE_SUBMODULES', value: 'true' },
    ]);
  });

  it('is told how many path elements of a blob to strip', () => {
    const made = pod({ source: { blob: { url: 'u', stripComponents: 2 } } });
    expect(variableOf(made, 'prepare', 'BLOB_STRIP_COMPONENTS')).toBe('2');
  });

  it('03#23 03#24 gets the first pull secret of a registry source', () => {
    const imagePullSecrets = [{ name: 'registry-secret' }, { name: 'second' }];
    const made = pod({ source: { registry: { image: 'src', imagePullSecrets } } });
    expect(variableOf(made, 'prepare', 'REGISTRY_IMAGE')).toBe('src');
    expect(made.spec?.volumes?.filter(({ name }) => name === 'registry-source-pull-secrets-dir')).toEqual([
      { name: 'registry-source-pull-secrets-dir', secret: { secretName: 'registry-secret' } },
    ]);
    expect(step(made, 'prepare').volumeMounts).toContainEqual({
      name: 'registry-source-pull-secrets-dir',
      mountPath: '/registrySourcePullSecrets',
      readOnly: true,
    });
  });

  it('03#25 gets an empty directory in its place for other sources', () => {
    expect(pod().spec?.volumes).toContainEqual({ name: 'registry-source-pull-secrets-dir', emptyDir: {} });
  });
});

/** For detect and build, which have no argument for it in older lifecycles. */
const analyzedPath = { name: 'CNB_ANALYZED_PATH', value: '/analyzed/analyzed.toml' };

describe('the lifecycle phases', () => {
  it('03#26 tells detect the Platform API and the builder image', () => {
    expect(step(pod(), 'detect')).toMatchObject({
      image: 'BI',
      env: [{ name: 'CNB_PLATFORM_API', value: '0.9' }, analyzedPath],
    });
  });

  it('03#27 analyzes against the previous image and all tags', () => {
    expect(step(pod(), 'analyze').args).toEqual([
      '-layers=/layers',
      '-analyzed=/analyzed/analyzed.toml',
      '-run-image=builderregistry.io/run',
      '-tag=someimage/name:tag2',
      '-tag=someimage/name:tag3',
      '-previous-image=registry.example/previous',
      'someimage/name',
    ]);
    expect(mountsOf(pod(), 'analyze')).toEqual(['layers-dir', 'analyzed-dir', 'home-dir']);
  });

  it.each([
    ['03#28', undefined],
    ['03#29', { image: '' }],
  ])('%s names no previous image when there is none', (_, lastBuild) => {
    const args = step(pod({ lastBuild }), 'analyze').args ?? [];
    expect(args.some((arg) => arg.startsWith('-previous-image'))).toBe(false);
    expect(args.at(-1)).toBe('someimage/name');
  });

  it('03#30 restores from the cache volume', () => {
    expect(step(pod(), 'restore').args).toEqual([
      '-group=/layers/group.toml',
      '-layers=/layers',
      '-cache-dir=/cache',
      '-analyzed=/analyzed/analyzed.toml',
    ]);
    expect(mountsOf(pod(), 'restore')).toEqual(['layers-dir', 'analyzed-dir', 'home-dir', 'cache-dir']);
    expect(step(pod(), 'restore').env).toEqual([
      { name: 'HOME', value: '/builder/home' },
      { name: 'CNB_PLATFORM_API', value: '0.9' },
    ]);
  });

  it('03#31 shows build where bindings are', () => {
    expect(step(pod(), 'build').env).toEqual([
      { name: 'CNB_PLATFORM_API', value: '0.9' },
      { name: 'SERVICE_BINDING_ROOT', value: '/platform/bindings' },
      analyzedPath,
    ]);
  });

  it('03#32 03#33 exports to every tag, with cache, process and report in that order', () => {
    expect(step(pod({ defaultProcess: 'sys-info' }), 'export').args).toEqual([
      '-layers=/layers',
      '-app=/workspace',
      '-group=/layers/group.toml',
      '-analyzed=/analyzed/analyzed.toml',
      '-project-metadata=/projectMetadata/project-metadata.toml',
      '-cache-dir=/cache',
      '-process-type=sys-info',
      '-report=/var/report/report.toml',
      'someimage/name',
      'someimage/name:tag2',
      'someimage/name:tag3',
    ]);
  });

  it.each([
    ['03#34', 'now', '1795248000'],
    ['03#35', '', undefined],
    ['03#36', '1667243396', '1667243396'],
  ])('%s creation time %o is %s', (_, creationTime, epoch) => {
    expect(variableOf(pod({ creationTime }), 'export', 'SOURCE_DATE_EPOCH')).toBe(epoch);
    expect(variableOf(pod(), 'export', 'CNB_RUN_IMAGE')).toBe('builderregistry.io/run');
  });

  it.each([
    ['abc', 'invalid syntax'],
    ['2020-01-01T00:00:00Z', 'invalid syntax'],
    ['99999999999999999999', 'value out of range'],
  ])('03#37 creation time %s is refused: %s', (creationTime, why) => {
    expect(() => pod({ creationTime })).toThrow(
      `parsing creation time ${creationTime}: parsing unix timestamp: strconv.ParseInt: parsing "${creationTime}": ${why}`,
    );
  });

  it('03#47 03#48 runs on the Build’s run image, else the builder’s', () => {
    for (const [spec, image] of [
      [{ runImage: undefined }, 'R1'],
      [{ runImage: { image: 'R2' } }, 'R2'],
    ] as const) {
      const made = pod(spec);
      expect(step(made, 'analyze').args).toContain(`-run-image=${image}`);
      expect(variableOf(made, 'prepare', 'RUN_IMAGE')).toBe(image);
      expect(variableOf(made, 'export', 'CNB_RUN_IMAGE')).toBe(image);
    }
  });

  it('03#57 differ in one variable only between Platform APIs', () => {
    const without = (maximumPlatformApi: string) =>
      stepsOf(pod({}, { settings: { maximumPlatformApi } })).map(({ env, ...rest }) => ({
        ...rest,
        env: env?.filter(({ name }) => name !== 'CNB_PLATFORM_API'),
      }));
    expect(without('0.7')).toEqual(without('0.9'));
    expect(variableOf(pod({}, { settings: { maximumPlatformApi: '0.7' } }), 'build', 'CNB_PLATFORM_API')).toBe('0.7');
  });
});

describe('the cache', () => {
  const argsOf = (spec: object, name: string) =>
    (step(pod(spec), name).args ?? []).filter((arg) => arg.startsWith('-cache'));

  it('03#40 is a claim', () => {
    expect(pod().spec?.volumes).toContainEqual({
      name: 'cache-dir',
      persistentVolumeClaim: { claimName: 'some-cache-name' },
    });
  });

  it('03#41 is an image that every phase names by tag at first', () => {
    const spec = { cache: { registry: { tag: 'test-cache-image' } } };
    for (const name of ['analyze', 'restore', 'export'])
      expect(argsOf(spec, name)).toEqual(['-cache-image=test-cache-image']);
    expect(variableOf(pod(spec), 'completion', 'CACHE_TAG')).toBe('test-cache-image');
    expect(volumeNames(pod(spec))).toHaveLength(volumeNames(pod()).length - 1);
  });

  it('03#42 is read by the last build’s digest and written to the tag', () => {
    const spec = {
      cache: { registry: { tag: 'test-cache-image' } },
      lastBuild: { image: 'p', cache: { image: 'test-cache-image@sha' } },
    };
    expect(['analyze', 'restore', 'export'].flatMap((name) => argsOf(spec, name))).toEqual([
      '-cache-image=test-cache-image@sha',
      '-cache-image=test-cache-image@sha',
      '-cache-image=test-cache-image',
    ]);
  });

  it.each([undefined, {}, { volume: { persistentVolumeClaimName: '' } }])('03#43 may be absent: %o', (cache) => {
    expect(volumeNames(pod({ cache }))).not.toContain('cache-dir');
    expect(['analyze', 'restore', 'export'].flatMap((name) => argsOf({ cache }, name))).toEqual([]);
  });

  it('03#44 is the volume when the registry tag is empty', () => {
    const spec = { cache: { volume: { persistentVolumeClaimName: 'c' }, registry: { tag: '' } } };
    expect(['analyze', 'restore', 'export'].flatMap((name) => argsOf(spec, name))).toEqual([
      '-cache-dir=/cache',
      '-cache-dir=/cache',
    ]);
  });
});

describe('completion', () => {
  it('03#67 03#68 03#69 is given signing keys and their options', () => {
    const made = pod(
      {},
      {
        secrets: [
          ...baseSecrets,
          cosignSecret('cosign-secret-1', {
            'kpack.io/cosign.docker-media-types': '1',
            'kpack.io/cosign.repository': 'testRepository.com/fake-project-1',
            'kpack.io/cosign.ignored': 'x',
          }),
          cosignSecret('cosign-secret-2'),
        ],
      },
    );
    expect(step(made, 'completion').volumeMounts).toEqual(
      expect.arrayContaining([
        { name: 'secret-volume-9', mountPath: '/var/build-secrets/cosign/cosign-secret-1', readOnly: true },
        { name: 'secret-volume-10', mountPath: '/var/build-secrets/cosign/cosign-secret-2', readOnly: true },
      ]),
    );
    expect(step(made, 'completion').args?.slice(-2)).toEqual([
      '-cosign-repositories=cosign-secret-1=testRepository.com/fake-project-1',
      '-cosign-docker-media-types=cosign-secret-1=1',
    ]);
  });

  it('03#70 signs with the Build’s annotations after time and number', () => {
    const cosign = { annotations: [{ name: 'customAnnotationKey', value: 'a=b' }] };
    expect(step(pod({ cosign }), 'completion').args?.slice(-3)).toEqual([
      '-cosign-annotations=buildTimestamp=19440606.133000',
      '-cosign-annotations=buildNumber=12',
      '-cosign-annotations=customAnnotationKey=a=b',
    ]);
  });

  it('03#71 is told the notary first and given its key', () => {
    const notary = { v1: { url: 'some-notary-url', secretRef: { name: 'some-notary-secret' } } };
    expect(step(pod({ notary }), 'completion').args?.[0]).toBe('-notary-v1-url=some-notary-url');
    expect(pod({ notary }).spec?.volumes).toContainEqual({
      name: 'notary-dir',
      secret: { secretName: 'some-notary-secret' },
    });
  });

  it('03#72 sees the home that prepare filled and leaves its message where any user can write', () => {
    expect(variableOf(pod(), 'completion', 'HOME')).toBe('/builder/home');
    expect(mountsOf(pod(), 'completion').slice(-3)).toEqual(['home-dir', 'report-dir', 'notary-dir']);
    expect(step(pod(), 'completion')).toMatchObject({
      terminationMessagePath: '/tmp/termination-log',
      terminationMessagePolicy: 'FallbackToLogsOnError',
    });
  });
});
