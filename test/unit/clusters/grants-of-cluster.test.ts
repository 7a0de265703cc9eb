import { describe, expect, it } from 'vitest';
import { clusterConnections } from '../../../lib/clusters/connect.ts';
import { collectionPath } from '../../../lib/kube/resources.ts';
import type { Registration, RegistryGrant } from '../../../lib/state/clusters.ts';
import { fakeCluster } from '../../support/fake-cluster.ts';
import { selfSigned } from '../../support/self-signed.ts';

const grants: readonly RegistryGrant[] = [
  {
    prefix: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/team-a',
    access: 'read',
    namespaces: ['team-a'],
    clusterScoped: false,
  },
];

describe('the client of a registered cluster', () => {
  const clientOf = async (more: Pick<Registration, 'grants'>) => {
    const { cert } = await selfSigned();
    const caData = Buffer.from(cert).toString('base64');
    const registration: Registration = {
      ...more,
      access: 'eks',
      server: 'https://127.0.0.1:1',
      caData,
      eksName: 'e',
      region: 'eu-west-1',
    };
    const connections = clusterConnections({
      registrations: { get: () => Promise.resolve(registration), read: () => Promise.resolve(registration) },
      credentials: () => Promise.reject(new Error('nobody is called')),
      clock: () => new Date(),
    });
    const client = await connections.client('prod', AbortSignal.timeout(1000));
    (await connections.transport('prod')).close();
    return client;
  };

  it('knows its cluster and what the registration grants; by default nothing', async () => {
    expect(await clientOf({ grants })).toMatchObject({ cluster: 'prod', grants });
    expect(await clientOf({})).toMatchObject({ cluster: 'prod', grants: [] });
  });
});

describe('a token of a ServiceAccount', () => {
  it('is asked for by name, for one audience', async () => {
    const cluster = fakeCluster();
    const metadata = { name: 'builder', namespace: 'team-a' };
    cluster.put(collectionPath('ServiceAccount', 'team-a'), { kind: 'ServiceAccount', metadata });
    expect(await cluster.kube.token(metadata, 'sts.amazonaws.com', 600)).toBe('team-a/builder for sts.amazonaws.com');
    expect(cluster.requests.at(-1)).toEqual({
      method: 'POST',
      path: '/api/v1/namespaces/team-a/serviceaccounts/builder/token',
    });
  });

  it('that the server does not give is a failure, not an empty token', async () => {
    const { kube } = fakeCluster();
    const missing = kube.token({ name: 'gone', namespace: 'team-a' }, 'sts.amazonaws.com', 600);
    await expect(missing).rejects.toMatchObject({ code: 'not-found' });
  });
});
