/** Private keys for tests, made anew by Node, in the files that OpenSSL writes. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';

/** A key pair that ssh takes. */
export interface TestKey {
  readonly name: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const make = {
  RSA: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  'ECDSA nistp256': () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }),
  'ECDSA nistp384': () => generateKeyPairSync('ec', { namedCurve: 'secp384r1' }),
  'ECDSA nistp521': () => generateKeyPairSync('ec', { namedCurve: 'secp521r1' }),
  Ed25519: () => generateKeyPairSync('ed25519'),
} as const;

/** One key of each kind. */
export const testKeys = (): readonly TestKey[] => Object.entries(make).map(([name, pair]) => ({ name, ...pair() }));

/** The files of OpenSSL that can hold the key: PKCS#8, and the older form of its kind. */
export const opensslFiles = ({ privateKey }: Pick<TestKey, 'privateKey'>): readonly string[] => {
  const older = { rsa: 'pkcs1', ec: 'sec1' } as const;
  const kind = privateKey.asymmetricKeyType;
  const types = ['pkcs8', ...(kind === 'rsa' || kind === 'ec' ? [older[kind]] : [])] as ('pkcs1' | 'pkcs8' | 'sec1')[];
  return types.map((type) => privateKey.export({ format: 'pem', type } as { format: 'pem'; type: 'pkcs8' }) as string);
};
