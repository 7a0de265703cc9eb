import { describe, expect, it } from 'vitest';
import { PermanentError } from '../../../lib/errors/expected.ts';
import { openCosignKey } from '../../../lib/signing/cosign-key.ts';
import { isSignedBy, signatureOf } from '../../../lib/signing/signature.ts';
import { cosignKey } from '../../support/cosign-key.ts';

const content = new TextEncoder().encode('signed');

describe('a cosign key', () => {
  it.each(['ec', 'ed25519', 'rsa'] as const)('of type %s opens with its password and signs', async (type) => {
    const { pem, publicKey } = cosignKey('pass', { type });
    const signature = signatureOf(content, await openCosignKey(pem, 'pass'));
    expect(isSignedBy(content, signature, publicKey)).toBe(true);
    expect(isSignedBy(new TextEncoder().encode('other'), signature, publicKey)).toBe(false);
  });

  it('opens under the older label, with an empty password, and at each cost cosign uses', async () => {
    const { pem } = cosignKey('', { label: 'ENCRYPTED COSIGN PRIVATE KEY', N: 65536 });
    expect((await openCosignKey(pem, '')).asymmetricKeyType).toBe('ec');
  });

  it('waits for its turn: many at once would take more memory than a function has', async () => {
    const ended: number[] = [];
    const keys = [131072, 32768, 32768].map((N) => cosignKey('', { N }).pem);
    await Promise.all(
      keys.map(async (pem, index) => {
        await openCosignKey(pem, '');
        ended.push(index);
      }),
    );
    expect(ended).toEqual([0, 1, 2]);
  });

  it('does not open with a wrong password, and says nothing of the key', async () => {
    const { pem } = cosignKey('pass');
    const failure = await openCosignKey(pem, 'wrong').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(PermanentError);
    expect(String(failure)).toContain('the password is wrong or the key is damaged');
    expect(String(failure)).not.toContain(pem.slice(60, 100));
  });

  it.each([
    ['is no key', 'hello', 'is no ENCRYPTED SIGSTORE'],
    ['is another kind of key', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', 'is no ENCRYPTED'],
    ['asks for more memory than cosign would', cosignKey('x', { N: 16384 }).pem, 'with the parameters cosign writes'],
    ['holds something else', cosignKey('x', { der: new Uint8Array(40) }).pem, 'holds no PKCS#8 private key'],
  ])('that %s is refused', async (_what, pem, message) => {
    await expect(openCosignKey(pem, 'x')).rejects.toThrow(message);
  });
});
