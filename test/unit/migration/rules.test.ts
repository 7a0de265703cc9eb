/** Small rules of a migration. */
import type { RoleBinding } from 'kubernetes-types/rbac/v1.d.ts';
import { describe, expect, it } from 'vitest';
import { definitionOf } from '../../../infra/crds/definition.ts';
import { tracesOfKpack } from '../../../infra/crds/whose-cluster.ts';
import { ungranted, workingNamespaces } from '../../../lib/migration/grants.ts';
import { keepersOf } from '../../../lib/migration/keepers.ts';
import {
  isLaidDown,
  kpackController,
  type LiveDeployment,
  replicasAnnotation,
  replicasBefore,
} from '../../../lib/migration/kpack.ts';
import { changedSettings } from '../../../lib/migration/settings.ts';
import { type FieldSchema, unknownFields } from '../../../lib/migration/unknown-fields.ts';
import { FakeKube } from '../../support/fake-kube.ts';

const deployment = (replicas: number | undefined, mark?: string): LiveDeployment =>
  ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { ...kpackController, ...(mark !== undefined && { annotations: { [replicasAnnotation]: mark } }) },
    spec: { ...(replicas !== undefined && { replicas }), template: {} },
  }) as unknown as LiveDeployment;

describe('a Deployment of kpack’s', () => {
  it.each([
    ['runs', deployment(1), false],
    ['runs as nobody says how many', deployment(undefined), false],
    ['was stopped by somebody', deployment(0), false],
    ['was laid down', deployment(0, '1'), true],
    ['was laid down and raised again', deployment(2, '1'), false],
  ])('that %s is taken so, by installations too', async (_what, found, expected) => {
    expect(isLaidDown(found)).toBe(expected);
    const kube = new FakeKube();
    kube.put(found);
    expect(await tracesOfKpack(kube)).toStrictEqual(expected ? [] : ['Deployment kpack/kpack-controller']);
  });

  it.each([
    ['3', 3],
    ['0', 0],
    ['-1', 2],
    ['many', 2],
    ['99999', 2],
  ])('marked with %s goes back to %j', (mark, replicas) => {
    expect(replicasBefore(deployment(0, mark), deployment(2))).toBe(replicas);
  });
});

describe('settings of kpack’s controller', () => {
  it('are told with what kpackless calls them, when they are not as shipped', () => {
    const env = [
      { name: 'ENABLE_PRIORITY_CLASSES', value: 'true' },
      { name: 'INSECURE_SSH_TRUST_UNKNOWN_HOSTS', value: 'true' },
      { name: 'GIT_RESOLVER_USE_SHALLOW_CLONE', value: 'true' },
      { name: 'BUILD_INIT_IMAGE', valueFrom: { configMapKeyRef: { name: 'build-init-image', key: 'image' } } },
      { name: 'SCALING_FACTOR', value: '20' },
    ];
    const found = {
      spec: { template: { spec: { containers: [{ name: 'controller', env }] } } },
    } as unknown as LiveDeployment;
    expect(changedSettings(found)).toStrictEqual([
      { kpack: 'ENABLE_PRIORITY_CLASSES', value: 'true', ours: 'KPACKLESS_PRIORITY_CLASSES=true' },
      { kpack: 'GIT_RESOLVER_USE_SHALLOW_CLONE', value: 'true', ours: undefined },
    ]);
    expect(changedSettings(deployment(1))).toStrictEqual([]);
  });
});

describe('grants', () => {
  const binding = (
    namespace: string | undefined,
    name = 'kpackless-tenant',
    subject: object = { kind: 'Group', name: 'kpackless' },
  ): RoleBinding =>
    ({ metadata: { namespace }, roleRef: { kind: 'ClusterRole', name }, subjects: [subject] }) as RoleBinding;

  it('are wanted where objects are, and where those of the whole cluster have their account', () => {
    const objects = [
      { metadata: { name: 'i', namespace: 'team-b' } },
      { metadata: { name: 'j', namespace: 'team-a' } },
      { metadata: { name: 'cb' }, spec: { serviceAccountRef: { namespace: 'kpack', name: 'controller' } } },
      { metadata: { name: 'stack' }, spec: {} },
    ];
    expect(workingNamespaces(objects)).toStrictEqual(['kpack', 'team-a', 'team-b']);
  });

  it.each([
    ['nobody grants', [], [], ['a', 'b']],
    ['one namespace grants', [], [binding('a')], ['b']],
    [
      'it is granted to kpackless’ account',
      [],
      [binding('a', undefined, { kind: 'ServiceAccount', name: 'kpackless', namespace: 'kpack' })],
      ['b'],
    ],
    ['another role is granted', [], [binding('a', 'view')], ['a', 'b']],
    [
      'it is granted to somebody else',
      [],
      [binding('a', undefined, { kind: 'ServiceAccount', name: 'kpackless', namespace: 'a' })],
      ['a', 'b'],
    ],
    ['the whole cluster grants', [binding(undefined)], [], []],
  ])('are missing as it should be where %s', (_what, everywhere, inNamespaces, missing) => {
    expect(ungranted(['a', 'b'], { everywhere, inNamespaces })).toStrictEqual(missing);
  });
});

describe('tools that keep objects', () => {
  it('are known by labels and annotations, each once', () => {
    expect(
      keepersOf({
        metadata: {
          name: 'x',
          labels: { 'kapp.k14s.io/app': '1' },
          annotations: { 'argocd.argoproj.io/tracking-id': 'a', 'argocd.argoproj.io/instance': 'b' },
        },
      }),
    ).toStrictEqual(['kapp', 'Argo CD']);
    expect(keepersOf({ metadata: { name: 'x', labels: { app: 'kpack' } } })).toStrictEqual([]);
  });
});

describe('fields that no schema knows', () => {
  const schema = definitionOf('Image').spec.versions[0]?.schema?.openAPIV3Schema as FieldSchema;

  it('are found at any depth, and nothing else is', () => {
    const image = {
      apiVersion: 'kpack.io/v1alpha2',
      kind: 'Image',
      metadata: { name: 'x', anything: 1 },
      colour: 'red',
      spec: {
        tag: 't',
        shade: 'dark',
        build: {
          env: [
            { name: 'A', value: '1' },
            { name: 'B', vlaue: '2' },
          ],
          nodeSelector: { any: 'key' },
          resources: { limits: { cpu: 1 } },
        },
      },
      status: { conditions: [{ type: 'Ready', status: 'True', hue: 1 }] },
    };
    expect(unknownFields(image, schema)).toStrictEqual([
      'colour',
      'spec.shade',
      'spec.build.env[1].vlaue',
      'status.conditions[0].hue',
    ]);
  });
});
