/** The CNCF registry with tokens, behind an nginx that hides it from who shows no credential, or that lets no HEAD through. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRegistry } from '../../../lib/oci/client.ts';
import type { Keychain } from '../../../lib/oci/keychain.ts';
import { createSession } from '../../../lib/oci/session.ts';
import { nginxMissing } from '../../support/nginx.ts';
import { type NginxBefore, startNginxBefore } from '../../support/nginx-before.ts';
import { type RealRegistry, realUser, registryPrograms, startRealRegistry } from '../../support/real-registry.ts';
import { pushSomeImage, registrySuite, someTag } from '../../support/registry-suite.ts';

const alice: Keychain = () => Promise.resolve({ kind: 'basic', ...realUser });
const [registryProgram = ''] = registryPrograms();
const missing = [registryProgram === '' ? 'no registry' : '', nginxMissing === undefined ? '' : 'no nginx'].filter(
  (one) => one !== '',
);
if (missing.length > 0) console.log(`registries behind a proxy are not tried: ${missing.join(', ')}`);

/** What the question whether it speaks https looks like to who does not. */
const plainHttp = '- - 400';

const hidden = (status: number): string =>
  `if ($http_authorization = "") { return ${status} '{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}'; }`;
const headless = (status: number): string => `if ($request_method = HEAD) { return ${status}; }`;

describe.skipIf(missing.length > 0).each([
  ['hides as 404', hidden(404)],
  ['hides as 403', hidden(403)],
  ['answers every HEAD with 404', headless(404)],
  ['answers every HEAD with 405', headless(405)],
])('a registry behind nginx that %s', (_what, rules) => {
  let real: RealRegistry;
  let front: NginxBefore;
  beforeAll(async () => {
    real = await startRealRegistry(registryProgram, 'token');
    front = await startNginxBefore(real.host, rules);
  });
  afterAll(async () => {
    await front?.close();
    await real?.close();
  });

  it('is asked for its challenge once, and shown the credential from then on', async () => {
    const session = createSession();
    const before = (await front.requests()).length;
    const tag = someTag(front.host);
    await pushSomeImage(openRegistry({ keychain: alice, session }), tag);
    await openRegistry({ keychain: alice, session }).getManifest(tag);
    const asked = (await front.requests()).slice(before);
    expect(
      asked.filter((line) => !line.endsWith(' +') && !/^HEAD .* 40[45]$/.test(line) && line !== plainHttp),
    ).toEqual([
      // Does it speak https, and what does it want to see?
      'GET /v2/ 401',
      'GET /v2/ 401',
    ]);
  });

  registrySuite(() => ({ host: front.host, keychain: alice }));
});
