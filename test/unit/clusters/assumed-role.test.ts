import { describe, expect, it } from 'vitest';
import { assumedRole } from '../../../lib/clusters/assumed-role.ts';

const roleArn = 'arn:aws:iam::210987654321:role/kpackless-prod';
const answer = `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAOTHER</AccessKeyId>
<SecretAccessKey>a+b/c=</SecretAccessKey><SessionToken>token==</SessionToken></Credentials></AssumeRoleResult></AssumeRoleResponse>`;

/** STS as far as one action goes, at one moment after another. */
const world = (...answers: readonly (() => Response)[]) => {
  const requests: { readonly url: string; readonly body: string; readonly authorization: string }[] = [];
  let now = new Date('2026-11-21T12:00:00Z');
  const role = assumedRole({
    roleArn,
    region: 'eu-west-1',
    credentials: async () => ({ accessKeyId: 'AKIDOWN', secretAccessKey: 'own' }),
    clock: () => now,
    fetch: async (url, init) => {
      const request = new Request(url, init);
      const authorization = request.headers.get('authorization') ?? '';
      requests.push({ url: request.url, body: await request.text(), authorization });
      return (answers[requests.length - 1] ?? answers.at(-1) ?? (() => Response.error()))();
    },
  });
  return { role, requests, later: (minutes: number) => (now = new Date(now.getTime() + minutes * 60_000)) };
};
const good = (): Response => new Response(answer);

describe('the role of a cluster', () => {
  it('is asked for in its region, signed with the function’s own identity', async () => {
    const { role, requests } = world(good);
    expect(await role()).toEqual({ accessKeyId: 'ASIAOTHER', secretAccessKey: 'a+b/c=', sessionToken: 'token==' });
    expect(requests[0]?.url).toBe('https://sts.eu-west-1.amazonaws.com/');
    expect(new URLSearchParams(requests[0]?.body).get('RoleArn')).toBe(roleArn);
    expect(requests[0]?.authorization).toContain('Credential=AKIDOWN/20261121/eu-west-1/sts/aws4_request');
  });

  it('is asked for once by many at once, and again before it ends', async () => {
    const { role, requests, later } = world(good);
    await Promise.all([role(), role(), role()]);
    later(44);
    await role();
    expect(requests).toHaveLength(1);
    later(2);
    await role();
    expect(requests).toHaveLength(2);
  });

  it('that is refused says which role and what to look at, and is asked for anew', async () => {
    const refusal = '<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>';
    const { role } = world(() => new Response(refusal, { status: 403 }), good);
    await expect(role()).rejects.toThrow(/role\/kpackless-prod: HTTP 403 AccessDenied; does the role exist and trust/);
    expect((await role()).accessKeyId).toBe('ASIAOTHER');
  });

  it.each([
    ['is silent', () => Response.error()],
    ['answers without credentials', () => new Response('<ok/>')],
  ])('is a failure that may heal when STS %s', async (_, bad) => {
    const { role } = world(bad);
    await expect(role()).rejects.toMatchObject({ name: 'ExpectedError', pace: 'slow' });
  });
});
