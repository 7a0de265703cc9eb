/** Which step has what, and how: the whole table, for every kind of pod. */
import type { Container, Pod, VolumeMount } from 'kubernetes-types/core/v1.d.ts';
import { describe, expect, it } from 'vitest';
import { podVariants, type Variant } from '../../../support/pod-variants.ts';
import { stepsOf } from '../base-build.ts';

const row = ({ name, mountPath, subPath, readOnly }: VolumeMount): string =>
  `${name}${subPath === undefined ? '' : `[${subPath}]`} ${mountPath} ${readOnly === true ? 'ro' : 'rw'}`;

/** What every build's steps have, but for Secrets and bindings. */
const table: Readonly<Record<string, readonly string[]>> = {
  prepare: [
    'registry-source-pull-secrets-dir /registrySourcePullSecrets ro',
    'platform-dir /platform rw',
    'workspace-dir /workspace rw',
    'home-dir /builder/home rw',
    'project-metadata-dir /projectMetadata rw',
  ],
  analyze: ['layers-dir /layers rw', 'analyzed-dir /analyzed rw', 'home-dir /builder/home ro'],
  detect: [
    'layers-dir /layers rw',
    'analyzed-dir /analyzed ro',
    'platform-dir[env] /platform/env ro',
    'workspace-dir /workspace rw',
  ],
  restore: ['layers-dir /layers rw', 'analyzed-dir /analyzed rw', 'home-dir /builder/home ro'],
  build: [
    'layers-dir /layers rw',
    'analyzed-dir /analyzed ro',
    'platform-dir[env] /platform/env ro',
    'workspace-dir /workspace rw',
  ],
  export: [
    'layers-dir /layers rw',
    'analyzed-dir /analyzed ro',
    'project-metadata-dir /projectMetadata ro',
    'workspace-dir /workspace ro',
    'home-dir /builder/home ro',
    'report-dir /var/report rw',
  ],
  completion: ['home-dir /builder/home ro', 'report-dir /var/report ro', 'notary-dir /var/notary/v1 ro'],
};

/** Those of pods with image extensions where they differ. */
const extensionTable: Readonly<Record<string, readonly string[]>> = {
  'extend-start': ['programs-dir /programs rw'],
  detect: (table['detect'] ?? []).map((line) => line.replace('/analyzed ro', '/analyzed rw')),
  restore: [
    ...(table['restore'] ?? []),
    'kaniko-dir /kaniko rw',
    'extender-dir /extender rw',
    'programs-dir /programs ro',
  ],
  'extend-gate': ['analyzed-dir /analyzed ro', 'pod-info-dir /podInfo ro'],
  'extend-run': [
    'layers-dir /layers rw',
    'analyzed-dir /analyzed ro',
    'workspace-dir /workspace ro',
    'kaniko-run-dir /kaniko rw',
    'kaniko-dir[cache/base] /kaniko/cache/base ro',
    'extender-dir /extender ro',
    'programs-dir /programs ro',
  ],
  'extend-build': [
    'layers-dir /layers rw',
    'analyzed-dir /analyzed ro',
    'platform-dir[env] /platform/env ro',
    'workspace-dir /workspace rw',
    'kaniko-build-dir /kaniko rw',
    'kaniko-dir[cache/base] /kaniko/cache/base ro',
  ],
};

const rebaseTable: Readonly<Record<string, readonly string[]>> = {
  rebase: ['report-dir /var/report rw'],
  completion: ['report-dir /var/report ro', 'notary-dir /var/notary/v1 ro'],
};

const isOurs = ({ image }: Container): boolean => image === 'steps';

/** What the table says of a step in this variant. */
const expectedRows = (variant: Variant, step: Container, index: number): readonly string[] => {
  const { name } = step;
  const withExtensions = variant.hasExtensions ? { ...table, ...extensionTable } : table;
  const own = (variant.isRebase ? rebaseTable : withExtensions)[name] ?? ['a step that the table does not know'];
  // Where all steps start at once, prepare hands over a folder of the volume.
  const folders = [
    ...(variant.atOnce ? ['app'] : []),
    ...(variant.source === 'git below a folder' ? ['some/path'] : []),
  ];
  const part = name === 'prepare' || folders.length === 0 ? '' : `[${folders.join('/')}]`;
  const rows = own.map((line) => line.replace('workspace-dir ', `workspace-dir${part} `));
  const isCached = variant.cache === 'volume' && (name === 'restore' || name === 'export');
  const waits = [
    ...(index === 0 && !variant.isRebase ? ['turn-dir /turn rw'] : []),
    ...(isOurs(step) ? [] : ['turn-dir /turn ro']),
    ...(index === 0 && variant.form === 'beside sidecars' ? ['downward-api-dir /downward ro'] : []),
    'build-wait-dir /buildWait ro',
    `build-wait-dir[${name}] /buildSignal rw`,
  ];
  return [...rows, ...(isCached ? ['cache-dir /cache rw'] : []), ...(variant.atOnce ? waits : [])];
};

const nameOfSecret = ({ spec }: Pod, { name }: VolumeMount): string | undefined => {
  const { secret, configMap } = spec?.volumes?.find((volume) => volume.name === name) ?? {};
  return secret?.secretName ?? configMap?.name;
};
const isShared = ({ spec }: Pod, { name }: VolumeMount): boolean => {
  const volume = spec?.volumes?.find((candidate) => candidate.name === name);
  return volume?.secret === undefined && volume?.configMap === undefined;
};
/** Mounted from a Secret in some builds, from nothing in others. */
const fixed = new Set(['notary-dir', 'registry-source-pull-secrets-dir']);

const registries = ['docker-secret-1', 'docker-secret-2', 'docker-secret-3', 'secret.with.dots', 'both'];
const gits = ['git-secret-1', 'git-secret-2'];
const keys = ['both', 'key'];

/** Secrets of the account, pull secrets and bindings that a step has. */
const expectedSecrets = ({ source, secrets, bindings, isRebase }: Variant, step: string): readonly string[] => {
  const of = (names: readonly string[]) => (secrets === 'all' ? names : []);
  const pulls = [...of(['image-pull-1']), 'builder-pull-secret'];
  switch (step) {
    case 'prepare':
      return [
        ...of([...gits, ...registries, ...(source === 'blob with secrets' ? ['blob-secret'] : [])]),
        ...pulls,
        ...(source === 'registry' ? ['registry-source-secret'] : []),
      ];
    case 'rebase':
      return [...of(registries), ...pulls];
    case 'completion':
      return [...of([...registries, ...keys]), 'notary-secret'];
    case 'detect':
    case 'build':
    case 'extend-build':
      return bindings === 'all' && !isRebase ? ['database-secret', 'apm-map', 'apm-secret'] : [];
    default:
      return [];
  }
};

const variants = podVariants();

describe('what each step of a pod has', () => {
  it('is looked at in every kind of pod', () => {
    expect(variants).toHaveLength(5 * 3 * 2 * 2 * 3 * 2 * 2);
    const steps = new Set(variants.flatMap(({ pod }) => stepsOf(pod).map(({ name }) => name)));
    expect(steps).toEqual(
      new Set([...Object.keys(table), ...Object.keys(extensionTable), ...Object.keys(rebaseTable)]),
    );
  });

  it('are the directories of the table, to write only where it says so', () => {
    for (const variant of variants) {
      const { pod, title } = variant;
      const regular = pod.spec?.containers ?? [];
      for (const step of stepsOf(pod)) {
        const shared = (step.volumeMounts ?? []).filter((mount) => fixed.has(mount.name) || isShared(pod, mount));
        const rows = shared.map(row).sort();
        expect(rows, `${step.name} of ${title}`).toEqual(
          [...expectedRows(variant, step, regular.indexOf(step))].sort(),
        );
      }
    }
  });

  it('are the Secrets that it needs, read-only, and no others', () => {
    for (const variant of variants) {
      const { pod, title } = variant;
      for (const step of stepsOf(pod)) {
        const secrets = (step.volumeMounts ?? []).flatMap((mount) => {
          const name = nameOfSecret(pod, mount);
          return name === undefined ? [] : [`${name} ${mount.readOnly === true ? 'ro' : 'rw'}`];
        });
        const expected = expectedSecrets(variant, step.name).map((name) => `${name} ro`);
        expect(secrets.sort(), `${step.name} of ${title}`).toEqual([...expected].sort());
      }
    }
  });

  it('are flags for the Secrets that it has, and no others', () => {
    for (const { pod, title } of variants) {
      for (const step of stepsOf(pod).filter(isOurs)) {
        const flags = (step.args ?? []).flatMap(
          (arg) => /^-(?:basic-|ssh-|blob|docker|imagepull)[a-z]*=(?<secret>[^=]+)/.exec(arg)?.groups?.['secret'] ?? [],
        );
        const paths = (step.volumeMounts ?? []).map(({ mountPath }) => mountPath);
        for (const secret of flags) expect(paths, `${step.name} of ${title}`).toContain(`/var/build-secrets/${secret}`);
      }
    }
  });
});

describe('a pod of any kind', () => {
  it('has no token of its ServiceAccount, shares nothing with its node or between its steps, and mounts only what is its own', () => {
    const allowed = ['configMap', 'downwardAPI', 'emptyDir', 'persistentVolumeClaim', 'secret'];
    for (const { pod, title } of variants) {
      expect(pod.spec, `in ${title}`).toMatchObject({ automountServiceAccountToken: false });
      for (const field of ['hostNetwork', 'hostPID', 'hostIPC', 'hostAliases', 'shareProcessNamespace'])
        expect(pod.spec, `in ${title}`).not.toHaveProperty(field);
      const kinds = (pod.spec?.volumes ?? []).flatMap((volume) => Object.keys(volume).filter((key) => key !== 'name'));
      expect(allowed, `in ${title}`).toEqual(expect.arrayContaining([...new Set(kinds)]));
    }
  });

  it('mounts nothing that it does not have, and has nothing twice at one path', () => {
    for (const { pod, title } of variants) {
      const volumes = (pod.spec?.volumes ?? []).map(({ name }) => name);
      expect(volumes, `in ${title}`).toHaveLength(new Set(volumes).size);
      for (const { volumeMounts = [] } of stepsOf(pod)) {
        expect(volumes, `in ${title}`).toEqual(expect.arrayContaining(volumeMounts.map(({ name }) => name)));
        expect(volumeMounts, `in ${title}`).toHaveLength(new Set(volumeMounts.map(({ mountPath }) => mountPath)).size);
      }
    }
  });

  it('gives the account’s cloud identity to the steps alone that speak to registries and hosts of sources', () => {
    const speakers = ['prepare', 'analyze', 'restore', 'export', 'rebase', 'completion'];
    for (const { pod, title } of variants) {
      const others = stepsOf(pod).flatMap(({ name }) => (speakers.includes(name) ? [] : [name]));
      expect(pod.metadata?.annotations, `in ${title}`).toMatchObject({
        'eks.amazonaws.com/skip-containers': others.join(','),
        'azure.workload.identity/skip-containers': others.join(';'),
      });
    }
  });

  it('is the same pod when it is made again', () => {
    expect(podVariants()).toEqual(variants);
  });

  it('limits each of its directories when the installation says so, and nothing else', () => {
    for (const [index, { pod, title }] of podVariants({ emptyDirLimit: '2Gi' }).entries()) {
      const limits = (pod.spec?.volumes ?? []).flatMap(({ emptyDir }) => (emptyDir === undefined ? [] : [emptyDir]));
      expect(new Set(limits.map(({ sizeLimit }) => sizeLimit)), `in ${title}`).toEqual(new Set(['2Gi']));
      expect(JSON.stringify(pod).replaceAll('{"sizeLimit":"2Gi"}', '{}'), `in ${title}`).toBe(
        JSON.stringify(variants[index]?.pod),
      );
    }
  });
});
