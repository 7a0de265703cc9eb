/** Point 1 of the threat model: a grant covers what it says, whatever name is found for something else. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { accountRegistries } from '../../lib/buildpacks/account-registry.ts';
import { noAccount } from '../../lib/buildpacks/offers.ts';
import type { Behalf } from '../../lib/buildpacks/opening.ts';
import { grantFor } from '../../lib/clusters/grants.ts';
import { digestOf } from '../../lib/oci/digest.ts';
import { replay } from '../../lib/oci/http.ts';
import { type Access, reading } from '../../lib/oci/keychain.ts';
import { parseReference, parseRepository, parseTag, type Repository } from '../../lib/oci/reference.ts';
import type { RegistryGrant } from '../../lib/state/clusters.ts';
import { storeDockerImage } from '../support/buildpack-images.ts';
import { functionKey, roleKey } from '../support/fake-aws.ts';
import { type GrantWorld, grantWorld, teamGrants } from './grant-world.ts';

const host = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';
const teamA: Behalf = { namespace: 'team-a' };
const writing = { access: 'write', within: true } as const;

describe('a grant for team-a', () => {
  const covers = (repository: Repository, grants = teamGrants(host), behalf: Behalf = teamA): boolean =>
    grantFor(grants, behalf, repository, writing) !== undefined;

  it.each([
    ['its own', `${host}/team-a/app`],
    ['its prefix itself', `${host}/team-a`],
    ['the host in capitals', `${host.toUpperCase()}/team-a/app`],
    ['the host with the port of https', `${host}:443/team-a/app`],
  ])('covers %s', (_, name) => {
    expect(covers(parseRepository(name))).toBe(true);
  });

  it.each([
    ['a neighbour that begins alike', `${host}/team-a-evil/app`],
    ['a neighbour without a border', `${host}/team-ab`],
    ['a path that has it elsewhere', `${host}/x/team-a/app`],
    ['another port', `${host}:8443/team-a/app`],
    ['the port of http', `${host}:80/team-a/app`],
    ['another account', `210987654321.dkr.ecr.eu-west-1.amazonaws.com/team-a/app`],
    ['another region', `123456789012.dkr.ecr.eu-west-2.amazonaws.com/team-a/app`],
    ['a host that has it in front', `${host}.evil.example/team-a/app`],
    ['a host that ends alike', `evil-${host}/team-a/app`],
    ['a host with a final dot', `${host}./team-a/app`],
    ['Docker Hub', `docker.io/team-a/app`],
    ['Docker Hub by its other name', 'index.docker.io/team-a/app'],
    ['a name without a registry', 'team-a/app'],
  ])('does not cover %s', (_, name) => {
    expect(covers(parseRepository(name))).toBe(false);
  });

  it.each([
    ['a path that climbs', `${host}/team-a/../team-b/app`],
    ['a path that climbs by its own name', `${host}/team-a/..`],
    ['an empty segment', `${host}/team-a//../team-b`],
    ['an escape', `${host}/team-a/%2e%2e/team-b`],
    ['a path in capitals', `${host}/TEAM-A/app`],
  ])('is not asked about %s: that is no name', (_, name) => {
    expect(() => parseReference(name)).toThrow(/could not parse reference/);
    const path = name.slice(host.length + 1);
    expect(covers({ registry: host, path })).toBe(false);
  });

  it.each([
    ['a prefix that climbs', `${host}/team-a/../team-b`],
    ['a prefix of another kind of registry', 'ghcr.io/team-a'],
    ['an empty prefix', ''],
    ['a prefix that ends with a slash', `${host}/`],
  ])('is none with %s', (_, prefix) => {
    const grants: readonly RegistryGrant[] = [{ prefix, access: 'write', namespaces: ['*'], clusterScoped: true }];
    for (const name of [`${host}/team-b/app`, `${host}/team-a/app`, 'ghcr.io/team-a/app'])
      expect(covers(parseRepository(name), grants)).toBe(false);
  });

  it('is nobody else’s: no other namespace, no kind without one, no object without a namespace', () => {
    const own = parseRepository(`${host}/team-a/app`);
    const others: readonly Behalf[] = [
      { namespace: 'team-b' },
      { namespace: '' },
      { namespace: '*' },
      'cluster-scoped',
    ];
    for (const behalf of others) expect(covers(own, teamGrants(host), behalf)).toBe(false);
    const everywhere = teamGrants(host).map((grant) => ({ ...grant, namespaces: ['*'] }));
    expect(covers(own, everywhere, { namespace: '' })).toBe(false);
    const shared = parseRepository(`${host}/platform/shared/run`);
    expect(grantFor(teamGrants(host), { namespace: 'cluster-scoped' }, shared, reading)?.access).toBe('read');
  });
});

describe('a client with a granted token', () => {
  let world: GrantWorld;
  const roleArn = 'arn:aws:iam::123456789012:role/ecr-kpackless-team-a';
  const bytes = Buffer.from('layer of team b');
  const digest = digestOf(bytes);
  const blob = { ...replay(bytes), digest };
  const at = (path: string): Repository => parseRepository(`${host}/${path}`);
  const client = (access: Access = 'write', namespace = 'team-a') =>
    world.open(world.kube(), noAccount, { behalf: { namespace }, access });
  /** Grants of the teams, and one of team-a by a role. */
  const withRole = (name: string): readonly RegistryGrant[] => [
    ...teamGrants(name),
    { prefix: `${name}/apps`, access: 'write', namespaces: ['team-a'], clusterScoped: false, roleArn },
  ];

  beforeEach(async () => {
    world = await grantWorld(withRole);
    world.aws.registry.store.putBlob('team-b/app', bytes);
    world.aws.registry.store.putBlob('team-a/app', Buffer.from('layer of team a'));
  });
  afterEach(() => world.close());

  it('does not have a layer of others linked into its own repository', async () => {
    const registry = await client();
    expect(await registry.mountBlob(at('team-a/app'), digest, at('team-b/app'))).toBe(false);
    await expect(registry.pushBlob(at('team-a/app'), blob, { mountFrom: at('team-b/app') })).resolves.toBe('uploaded');
    expect(world.withToken('team-b/')).toEqual([]);
  });

  it('has its own linked, by the identity it is granted to and by no other', async () => {
    const own = digestOf('layer of team a');
    const registry = await client();
    expect(await registry.mountBlob(at('team-a/two'), own, at('team-a/app'))).toBe(true);
    expect(await registry.mountBlob(at('apps/one'), own, at('team-a/app'))).toBe(false);
    expect(world.withToken('apps/one').filter((line) => line.includes('from='))).toEqual([]);
    expect(await registry.pushBlob(at('apps/one'), blob)).toBe('uploaded');
    expect(world.withToken('apps/one').every((line) => line.startsWith(roleKey(roleArn)))).toBe(true);
    expect(world.withToken('team-a/').every((line) => line.startsWith(functionKey))).toBe(true);
  });

  it('sends it nowhere but to addresses of the repository, wherever the registry sends an upload', async () => {
    const location = '/v2/team-b/app/blobs/uploads/1';
    const astray: typeof fetch = async (input, init) => {
      const answer = await world.aws.fetch(input, init);
      return init?.method === 'POST' && answer.ok ? new Response(null, { status: 202, headers: { location } }) : answer;
    };
    const open = accountRegistries({ retry: { attempts: 1 }, transport: { fetch: astray } }, world.aws.cloud);
    const registry = await open(world.kube(), noAccount, { behalf: teamA, access: 'write' });
    await expect(registry.pushBlob(at('team-a/app'), blob)).rejects.toMatchObject({ code: 'unauthorized' });
    expect(world.aws.requests.filter(({ path }) => path.startsWith(location))).not.toEqual([]);
    expect(world.withToken('team-b/')).toEqual([]);
  });

  it('that was opened for reading writes nothing, though writing is granted', async () => {
    const registry = await client('read');
    const denied = { code: 'denied', message: expect.stringContaining('opened for reading only') as string };
    await expect(registry.pushBlob(at('team-a/app'), blob)).rejects.toMatchObject(denied);
    const manifest = { mediaType: 'application/vnd.oci.image.manifest.v1+json', bytes };
    await expect(registry.putManifest(parseTag(`${host}/team-a/app:1`), manifest)).rejects.toMatchObject(denied);
    await expect(registry.deleteBlob(at('team-a/app'), digest)).rejects.toMatchObject(denied);
    await expect(registry.deleteManifest(parseTag(`${host}/team-a/app:1`))).rejects.toMatchObject(denied);
    expect(world.aws.requests).toEqual([]);
  });

  it('is refused by its own cluster’s grants where another cluster has them', async () => {
    storeDockerImage(world.aws.registry, 'team-a/app:1');
    const read = { behalf: teamA, access: 'read' } as const;
    const here = await world.open(world.kube(), noAccount, read);
    expect(await here.headManifest(parseTag(`${host}/team-a/app:1`))).toBeDefined();
    const elsewhere = await world.open({ ...world.kube('other'), grants: [] }, noAccount, read);
    await expect(elsewhere.headManifest(parseTag(`${host}/team-a/app:1`))).rejects.toMatchObject({
      code: 'unauthorized',
    });
  });
});
