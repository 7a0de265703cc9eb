/** A list of references is no stream of requests: above a hundred nothing is read, and the condition says so. */
import { describe, expect, it } from 'vitest';
import { accountCredentials } from '../../lib/buildpacks/account-registry.ts';
import { PermanentError } from '../../lib/errors/expected.ts';
import { fakeCluster } from '../support/fake-cluster.ts';
import { accounts, buildWorld, namespace } from '../unit/builds/build-world.ts';

const many = Array.from({ length: 20_000 }, (_, n) => ({ name: `s${n}` }));
const account = { kind: 'ServiceAccount', metadata: { name: 'someserviceaccount', namespace }, secrets: many };
const ofSecrets = (requests: readonly { readonly path: string }[]) =>
  requests.filter(({ path }) => path.includes('/secrets/'));

describe('20,000 Secrets of a ServiceAccount', () => {
  it('are not read for a registry', async () => {
    const cluster = fakeCluster();
    cluster.put(accounts, account);
    const reading = accountCredentials(cluster.kube, { namespace, serviceAccount: 'someserviceaccount' });
    await expect(reading).rejects.toThrow(PermanentError);
    await expect(reading).rejects.toThrow(/lists 20000 Secrets, of which at most 100 are read/);
    expect(ofSecrets(cluster.requests)).toEqual([]);
  });

  it('are not read for a Build, which fails and says why', async () => {
    const world = buildWorld();
    world.cluster.remove(`${accounts}/someserviceaccount`);
    world.cluster.put(accounts, account);
    await world.pass();
    expect(world.condition()).toMatchObject({
      status: 'False',
      message: expect.stringContaining('at most 100') as string,
    });
    expect(ofSecrets(world.cluster.requests)).toEqual([]);
  });
});

it('20,000 bindings of a Build are not looked up', async () => {
  const services = many.map(({ name }) => ({ apiVersion: 'a.io/v1', kind: 'Thing', name }));
  const world = buildWorld({ spec: { services } });
  await world.pass();
  expect(world.condition()).toMatchObject({
    status: 'False',
    message: expect.stringContaining('at most 100') as string,
  });
  expect(world.cluster.requests.filter(({ path }) => path.includes('/things/'))).toEqual([]);
});
