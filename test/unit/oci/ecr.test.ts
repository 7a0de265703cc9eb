import { describe, expect, it } from 'vitest';
import { type EcrRegistry, ecrKeychain, ecrRegistryOf } from '../../../lib/oci/ecr.ts';
import { readEcrToken } from '../../../lib/oci/ecr-token.ts';
import { reading } from '../../../lib/oci/keychain.ts';
import { parseRepository } from '../../../lib/oci/reference.ts';

const host = '123456789012.dkr.ecr.eu-central-1.amazonaws.com';
const repository = parseRepository(`${host}/team/app`);

describe('hosts of ECR', () => {
  it.each([
    [host, { account: '123456789012', region: 'eu-central-1', fips: false }],
    [
      '123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com',
      { account: '123456789012', region: 'us-gov-west-1', fips: true },
    ],
    [
      '123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn',
      { account: '123456789012', region: 'cn-north-1', fips: false },
    ],
    ['123456789012.dkr-ecr.us-east-1.on.aws', { account: '123456789012', region: 'us-east-1', fips: false }],
    [`${host.toUpperCase()}:443`, { account: '123456789012', region: 'eu-central-1', fips: false }],
    [
      '123456789012.dkr.ecr.eu-isoe-west-1.amazonaws.com',
      { account: '123456789012', region: 'eu-isoe-west-1', fips: false },
    ],
    ['public.ecr.aws', undefined],
    ['123456789012.dkr.ecr.vpce-0a1b.amazonaws.com', undefined],
    [`${host}:5000`, undefined],
    [`${host}.evil.com`, undefined],
    ['evil.com', undefined],
  ])('%s', (name, registry) => {
    expect(ecrRegistryOf(name)).toEqual(registry);
  });
});

describe('tokens of ECR', () => {
  const hourMs = 3_600_000;

  it('of another account are asked for with our own identity, in the region of its host', async () => {
    const asked: EcrRegistry[] = [];
    const keychain = ecrKeychain(async (registry) => {
      asked.push(registry);
      return { username: 'AWS', password: registry.region, expiresAtMs: Date.now() + 12 * hourMs };
    });
    const other = parseRepository('210987654321.dkr.ecr.us-east-1.amazonaws.com/their/run');
    expect(await keychain(other, reading)).toMatchObject({ password: 'us-east-1' });
    expect(await keychain(repository, reading)).toMatchObject({ password: 'eu-central-1' });
    expect(asked.map(({ account, region }) => `${account} ${region}`)).toEqual([
      '210987654321 us-east-1',
      '123456789012 eu-central-1',
    ]);
  });

  it('are asked for once and again half an hour before they end', async () => {
    let nowMs = 0;
    let asked = 0;
    const keychain = ecrKeychain(
      () => Promise.resolve({ username: 'AWS', password: `p${++asked}`, expiresAtMs: nowMs + 12 * hourMs }),
      () => nowMs,
    );
    expect(await keychain(repository, reading)).toEqual({ kind: 'basic', username: 'AWS', password: 'p1' });
    nowMs = 11 * hourMs;
    expect(await keychain(repository, reading)).toMatchObject({ password: 'p1' });
    nowMs = 11.6 * hourMs;
    expect(await keychain(repository, reading)).toMatchObject({ password: 'p2' });
  });

  it('are not asked for other hosts', async () => {
    const keychain = ecrKeychain(() => Promise.reject(new Error('nobody may ask')));
    expect(await keychain(parseRepository('ghcr.io/a/b'), reading)).toBeUndefined();
  });

  it('that AWS refuses are an error naming the host, believed for half a minute', async () => {
    let nowMs = 0;
    const refusal = (n: number) => ({ name: `AccessDenied${n}`, $metadata: { httpStatusCode: 400 } });
    let asked = 0;
    const keychain = ecrKeychain(
      () => Promise.reject(Object.assign(new Error('User: arn:aws:sts::1:assumed-role/own may not'), refusal(++asked))),
      () => nowMs,
    );
    const refused = {
      code: 'unauthorized',
      pace: 'slow',
      message: `no ECR token for ${host}: AccessDenied1 (HTTP 400)`,
    };
    await expect(keychain(repository, reading)).rejects.toMatchObject(refused);
    await expect(keychain(repository, reading)).rejects.toMatchObject(refused);
    nowMs = 31_000;
    await expect(keychain(repository, reading)).rejects.toThrow('AccessDenied2');
  });

  it('are user and password in base64', () => {
    const expiresAt = new Date(5);
    const token = Buffer.from('AWS:a:b').toString('base64');
    expect(readEcrToken(token, expiresAt)).toEqual({ username: 'AWS', password: 'a:b', expiresAtMs: 5 });
    expect(() => readEcrToken(undefined, expiresAt)).toThrow('AWS answered without a token');
  });
});
