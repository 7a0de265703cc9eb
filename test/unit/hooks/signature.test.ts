import { describe, expect, it } from 'vitest';
import { type HookRequest, providerOf } from '../../../lib/hooks/request.ts';
import { proofOf } from '../../../lib/hooks/signature.ts';
import {
  bitbucketPush,
  bitbucketServerPush,
  genericPush,
  genericToken,
  giteaPush,
  githubForm,
  githubPush,
  gitlabPush,
  secret,
  signed,
} from './deliveries.ts';

const everywhere = (secrets: readonly string[]) => secrets.map((given) => ({ secret: given, scope: '*' }));
const proof = (request: HookRequest, secrets: readonly string[] = [secret]) =>
  proofOf(providerOf(request), request, everywhere(secrets))?.by;
const withHeader = (request: HookRequest, name: string, value: string): HookRequest => ({
  ...request,
  headers: { ...request.headers, [name]: value },
});

const all: readonly (readonly [string, HookRequest, 'signature' | 'token'])[] = [
  ['github', githubPush(), 'signature'],
  ['github', githubForm(), 'signature'],
  ['gitlab', gitlabPush(), 'token'],
  ['bitbucket', bitbucketPush(), 'signature'],
  ['bitbucket', bitbucketServerPush(), 'signature'],
  ['gitea', giteaPush(), 'signature'],
  ['generic', genericPush(), 'signature'],
  ['generic', genericToken(), 'token'],
];

describe('a hook', () => {
  it.each(all)('of %s is known by its headers and proven by its own scheme', (provider, request, how) => {
    expect(providerOf(request)).toBe(provider);
    expect(proof(request)).toBe(how);
  });

  it.each(all)('of %s is not proven by another secret, or while none is set', (_, request) => {
    expect(proof(request, ['another secret'])).toBeUndefined();
    expect(proof(request, [])).toBeUndefined();
    expect(proof(request, [''])).toBeUndefined();
  });

  it.each(all)('of %s is proven by either secret while they are being changed', (_, request, how) => {
    expect(proof(request, ['the new one', secret])).toBe(how);
  });

  it.each(all.filter(([, , how]) => how === 'signature'))(
    'of %s is not proven once a byte is another',
    (_, request) => {
      const body = Buffer.from(request.body);
      body.writeUInt8(body.readUInt8(3) ^ 1, 3);
      expect(proof({ ...request, body })).toBeUndefined();
    },
  );

  it('is not proven by half a signature, by SHA-1, or by an empty token', () => {
    expect(proof(withHeader(githubPush(), 'x-hub-signature-256', `sha256=${signed('').slice(0, 32)}`))).toBeUndefined();
    expect(proof(withHeader(githubPush(), 'x-hub-signature-256', ''))).toBeUndefined();
    expect(
      proof(withHeader(bitbucketPush(), 'x-hub-signature', 'sha1=7d38cdd689735b008b3c702edd92eea23791c5f6')),
    ).toBeUndefined();
    expect(proof(withHeader(gitlabPush(), 'x-gitlab-token', ''))).toBeUndefined();
    expect(proof(genericToken(''))).toBeUndefined();
  });

  it('is proven for what the secrets that fit it are for, and for nothing else', () => {
    const secrets = [
      { secret, scope: 'github.com/acme' },
      { secret: 'another', scope: '*' },
      { secret, scope: 'gitlab.com' },
    ];
    const scopes = ['github.com/acme', 'gitlab.com'];
    expect(proofOf('github', githubPush(), secrets)).toEqual({ by: 'signature', scopes });
    expect(proofOf('gitlab', gitlabPush(), secrets)).toEqual({ by: 'token', scopes });
  });

  it('of a host that signs is not proven by the secret itself', () => {
    const { headers: _, ...rest } = githubPush();
    const headers = { 'x-github-event': 'push', 'x-gitlab-token': secret, authorization: `Bearer ${secret}` };
    expect(proof({ ...rest, headers })).toBeUndefined();
  });
});
