import { describe, expect, it } from 'vitest';
import {
  asksKpack,
  holdsOlder,
  type LiveDefinition,
  type ManagedFields,
  putBack,
  servesOurs,
  withSpecOurs,
} from '../../../lib/migration/definitions.ts';
import { kpackDefinition } from '../../support/kpack-release.ts';

const webhook = { port: 443, caBundle: '' };
const images = (more: object = {}): LiveDefinition => ({ ...kpackDefinition('Image', webhook), ...more });

describe('a definition of kpack’s', () => {
  it.each([
    [['v1alpha2'], false],
    [['v1alpha1', 'v1alpha2'], true],
    [['v1alpha1'], true],
    [undefined, false],
  ])('with storedVersions %j: objects may be stored in another version: %j', (storedVersions, expected) => {
    expect(holdsOlder(images({ status: { storedVersions } }))).toBe(expected);
  });

  it('asks kpack’s webhook, by the Service it names and not by another', () => {
    expect(asksKpack(images())).toBe(true);
    expect(asksKpack(kpackDefinition('ClusterStack', webhook) as LiveDefinition)).toBe(false);
    const ours = { service: { namespace: 'kpack', name: 'kpackless-conversion' } };
    expect(
      asksKpack(
        images({ spec: { ...images().spec, conversion: { strategy: 'Webhook', webhook: { clientConfig: ours } } } }),
      ),
    ).toBe(false);
  });

  it('can be read as kpackless reads it where v1alpha2 is served', () => {
    expect(servesOurs(images())).toBe(true);
    const [first] = images().spec.versions;
    expect(servesOurs(images({ spec: { ...images().spec, versions: [first] } }))).toBe(false);
  });

  it('is put back with its spec, labels and annotations; what the server says of the object stays', () => {
    const now = images({
      metadata: {
        name: 'images.kpack.io',
        uid: 'u',
        resourceVersion: '7',
        labels: { ours: 'x' },
        annotations: { mark: 'y' },
      },
      spec: { group: 'other' },
      status: { storedVersions: ['v1alpha2'] },
    });
    const then = images({
      metadata: { name: 'images.kpack.io', uid: 'u', resourceVersion: '3', labels: { app: 'kpack' } },
    });
    expect(putBack(now, then)).toStrictEqual({
      ...now,
      metadata: { name: 'images.kpack.io', uid: 'u', resourceVersion: '7', labels: { app: 'kpack' } },
      spec: then.spec,
    });
  });
});

describe('who owns the fields of a definition', () => {
  const leaf = {};
  const kubectl: ManagedFields = {
    manager: 'kubectl-client-side-apply',
    operation: 'Update',
    apiVersion: 'apiextensions.k8s.io/v1',
    fieldsV1: {
      'f:metadata': { 'f:labels': leaf },
      'f:spec': { 'f:conversion': { 'f:strategy': leaf }, 'f:versions': leaf },
    },
  };
  const webhookOwns: ManagedFields = {
    manager: 'webhook',
    operation: 'Update',
    fieldsV1: { 'f:spec': { 'f:conversion': { 'f:webhook': { 'f:clientConfig': leaf } } } },
  };
  const status: ManagedFields = {
    manager: 'kube-apiserver',
    operation: 'Update',
    subresource: 'status',
    fieldsV1: { 'f:status': leaf },
  };
  const mine = (fieldsV1: NonNullable<ManagedFields['fieldsV1']>): ManagedFields => ({
    manager: 'kpackless',
    operation: 'Apply',
    apiVersion: 'apiextensions.k8s.io/v1',
    fieldsType: 'FieldsV1',
    fieldsV1,
  });

  it('becomes our apply for all of the spec, and stays for the rest', () => {
    expect(withSpecOurs([kubectl, webhookOwns, status])).toStrictEqual([
      mine({
        'f:spec': {
          'f:conversion': { 'f:strategy': leaf, 'f:webhook': { 'f:clientConfig': leaf } },
          'f:versions': leaf,
        },
      }),
      { ...kubectl, fieldsV1: { 'f:metadata': { 'f:labels': leaf } } },
      status,
    ]);
  });

  it('is the same when it is made ours twice', () => {
    const once = withSpecOurs([kubectl, webhookOwns, status]);
    expect(withSpecOurs(once)).toStrictEqual(once);
  });

  it('keeps what our apply owned before', () => {
    expect(withSpecOurs([mine({ 'f:metadata': { 'f:labels': leaf } }), webhookOwns])).toStrictEqual([
      mine({ 'f:metadata': { 'f:labels': leaf }, ...webhookOwns.fieldsV1 }),
    ]);
  });
});
