/** Point 1 of the threat model: a ServiceAccount's own role is that account's alone, and nothing that was kept of it serves another. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { isRoleArn, roleAnnotation } from '../../lib/clusters/account-role.ts';
import { ExpectedError } from '../../lib/errors/expected.ts';
import { parseTag } from '../../lib/oci/reference.ts';
import { storeDockerImage } from '../support/buildpack-images.ts';
import { roleKey } from '../support/fake-aws.ts';
import { type GrantWorld, grantWorld } from './grant-world.ts';

interface RbacRule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
}
interface RbacObject {
  readonly metadata: { readonly name: string };
  readonly roleRef?: { readonly name: string };
  readonly rules?: readonly RbacRule[];
}

const role = (name: string): string => `arn:aws:iam::123456789012:role/${name}`;

describe('a ServiceAccount with a role of its own', () => {
  let world: GrantWorld;
  const annotated = (namespace: string, name: string, arn: string): void =>
    world.account(namespace, name, { [roleAnnotation]: arn });
  /** What heading the image as the account comes to: the key ids it was asked as, or what was said instead. */
  const head = async (namespace: string, serviceAccount: string, { cluster = 'prod', path = 'team-c/app' } = {}) => {
    world.aws.requests.length = 0;
    const opening = { behalf: { namespace }, access: 'read' } as const;
    try {
      const registry = await world.open(world.kube(cluster), { namespace, serviceAccount }, opening);
      await registry.headManifest(parseTag(`${world.aws.host}/${path}:1`));
      return world.aws.requests.at(-1)?.as;
    } catch (error) {
      if (!(error instanceof ExpectedError)) throw error;
      return error.message;
    }
  };

  beforeEach(async () => {
    world = await grantWorld(() => []);
    for (const path of ['team-c/app', 'team-a/app']) storeDockerImage(world.aws.registry, `${path}:1`);
    world.aws.trusts.set(role('team-c'), 'team-c/builder');
    annotated('team-c', 'builder', role('team-c'));
  });
  afterEach(() => world.close());

  it('is that role at ECR, asked for once', async () => {
    expect(await head('team-c', 'builder')).toBe(roleKey(role('team-c')));
    expect(await head('team-c', 'builder')).toBe(roleKey(role('team-c')));
    expect(world.aws.asked).toEqual([`STS team-c/builder ${role('team-c')}`, `ECR ${roleKey(role('team-c'))}`]);
    expect(world.cluster.requests.filter(({ path }) => path.endsWith('/token'))).toHaveLength(1);
  });

  it('gets nothing by another’s role in its annotation, however much of it was kept', async () => {
    await head('team-c', 'builder');
    annotated('team-a', 'builder', role('team-c'));
    annotated('team-c', 'other', role('team-c'));
    for (const [namespace, name] of [
      ['team-a', 'builder'],
      ['team-c', 'other'],
    ] as const) {
      const said = await head(namespace, name);
      expect(said).toContain(`STS does not give role ${role('team-c')}: HTTP 403 AccessDenied`);
      expect(said).toContain(`does it trust ServiceAccount ${namespace}/${name} of this cluster?`);
      expect(world.aws.requests.map(({ as }) => as)).toEqual(['nobody']);
    }
  });

  it('is asked about anew for an account of the same name in another cluster', async () => {
    await head('team-c', 'builder');
    world.aws.trusts.delete(role('team-c'));
    expect(await head('team-c', 'builder', { cluster: 'other' })).toContain('STS does not give role');
  });

  it('is asked about anew when the account was deleted and made again', async () => {
    await head('team-c', 'builder');
    world.aws.trusts.delete(role('team-c'));
    annotated('team-c', 'builder', role('team-c'));
    expect(await head('team-c', 'builder')).toContain('STS does not give role');
  });

  it('is asked about anew with another role, and not at all without', async () => {
    await head('team-c', 'builder');
    annotated('team-c', 'builder', role('other'));
    expect(await head('team-c', 'builder')).toContain(`STS does not give role ${role('other')}`);
    world.account('team-c', 'builder');
    const said = await head('team-c', 'builder');
    expect(said).toContain(`ServiceAccount team-c/builder has no Secret for ${world.aws.host}`);
    expect(said).toContain(`the account has no role of its own (annotation ${roleAnnotation})`);
    expect(said).toContain(
      `the cluster’s registration grants namespace team-c nothing there (kpackless cluster add … --grant 'read ${world.aws.host}/team-c/app namespaces=team-c')`,
    );
  });

  it('is told what to bind when kpackless may not ask for its tokens', async () => {
    world.cluster.failNext('POST', '/serviceaccounts/builder/token', 403);
    const said = await head('team-c', 'builder');
    expect(said).toContain('kpackless may not ask for a token of ServiceAccount team-c/builder');
    expect(said).toContain('bind ClusterRole kpackless-tenant-cloud-identity in namespace team-c');
    expect(world.aws.asked).toEqual([]);
  });

  it('has its tokens asked for only where that was bound: the ClusterRole is one of its own, and bound by nobody here', () => {
    const read = (file: string) =>
      parseAllDocuments(readFileSync(new URL(`../../infra/cluster/${file}`, import.meta.url), 'utf8')).map(
        (document) => document.toJS() as RbacObject,
      );
    const objects = [...read('rbac.yaml'), ...read('tenant-everywhere.yaml'), ...read('relay.yaml')];
    const own = 'kpackless-tenant-cloud-identity';
    const isOfCore = ({ apiGroups = [] }: RbacRule): boolean =>
      apiGroups.some((group) => group === '' || group === '*');
    const reachesTokens = ({ resources = [] }: RbacRule): boolean =>
      resources.some((name) => name === 'serviceaccounts/token' || name.includes('*'));
    const mayAsk = objects.filter(({ rules = [] }) => rules.some((rule) => isOfCore(rule) && reachesTokens(rule)));
    expect(mayAsk.map(({ metadata }) => metadata.name)).toEqual([own]);
    expect(objects.filter(({ roleRef }) => roleRef?.name === own)).toEqual([]);
  });

  it.each([
    ['what is no ARN', 'team-c'],
    ['a user', 'arn:aws:iam::123456789012:user/admin'],
    ['two lines', `${role('team-c')}\nHost: evil.example`],
    ['more parameters', `${role('team-c')}&Action=AssumeRole`],
    ['another service', 'arn:aws:s3:::bucket'],
    ['a name without end', role('x'.repeat(5000))],
  ])('is asked for no token with %s in its annotation', async (_, arn) => {
    expect(isRoleArn(arn)).toBe(false);
    annotated('team-c', 'builder', arn);
    const said = await head('team-c', 'builder');
    expect(said).toContain(`its annotation ${roleAnnotation} is no ARN of a role`);
    expect(said?.length).toBeLessThan(2000);
    expect(world.aws.asked).toEqual([]);
    expect(world.cluster.requests.filter(({ path }) => path.endsWith('/token'))).toEqual([]);
  });

  it('sends its token to STS alone, and no token for registries elsewhere', async () => {
    const opening = { behalf: { namespace: 'team-c' }, access: 'read' } as const;
    for (const host of ['registry.example', `${world.aws.host}.evil.example`, 'public.ecr.aws']) {
      const registry = await world.open(world.kube(), { namespace: 'team-c', serviceAccount: 'builder' }, opening);
      await expect(registry.headManifest(parseTag(`${host}/team-c/app:1`))).rejects.toMatchObject({
        code: 'unreachable',
      });
    }
    expect(world.aws.asked).toEqual([]);
  });

  it('says nothing of Secrets, tokens or keys when it is refused', async () => {
    world.aws.trusts.set(role('team-c'), 'nobody/nobody');
    const said = await head('team-c', 'builder');
    expect(said).toContain('AccessDenied');
    expect(said).not.toMatch(/for sts\.amazonaws\.com|ASIA|AKID|Bearer|Basic /);
  });
});
