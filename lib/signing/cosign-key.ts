/** Opens the private keys that `cosign generate-key-pair` writes: JSON in PEM, scrypt and NaCl secretbox over PKCS#8 (spec 03 §17.2). */
import { type KeyObject, scrypt } from 'node:crypto';
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js';
import * as v from 'valibot';
import { PermanentError } from '../errors/expected.ts';
import { parseJson } from '../text/bounded-json.ts';
import { readPem } from '../text/pem.ts';
import { signingKeyIn } from './signing-key.ts';

const labels = ['ENCRYPTED SIGSTORE PRIVATE KEY', 'ENCRYPTED COSIGN PRIVATE KEY'];

const base64 = v.pipe(v.string(), v.base64());

/** Only the costs cosign itself writes: a hostile key must not make us burn memory. */
const envelope = v.object({
  kdf: v.object({
    name: v.literal('scrypt'),
    params: v.object({ N: v.picklist([32768, 65536, 131072]), r: v.literal(8), p: v.literal(1) }),
    salt: base64,
  }),
  cipher: v.object({ name: v.literal('nacl/secretbox'), nonce: base64 }),
  ciphertext: base64,
});

/** Longest key file we look at, in characters. */
const longest = 64 * 1024;
const keyBytes = 32;

/**
 * The private key, ready to sign with: RSA, ECDSA or Ed25519. Takes about 100 ms, which is the point of scrypt; others wait meanwhile.
 * @throws PermanentError for a key that is none, or a wrong password; never with any of its content.
 */
export async function openCosignKey(pem: string, password: string): Promise<KeyObject> {
  const { kdf, cipher, ciphertext } = parsed(pem);
  const secret = await derived(password, Buffer.from(kdf.salt, 'base64'), kdf.params.N);
  let der: Uint8Array;
  try {
    der = xsalsa20poly1305(secret, Buffer.from(cipher.nonce, 'base64')).decrypt(Buffer.from(ciphertext, 'base64'));
  } catch (cause) {
    throw unusable('cannot be decrypted: the password is wrong or the key is damaged', cause);
  }
  const key = signingKeyIn(der);
  if (typeof key === 'string') throw unusable(key);
  return key;
}

function parsed(pem: string): v.InferOutput<typeof envelope> {
  if (pem.length > longest) throw unusable('is too long to be a key');
  const block = readPem(pem, longest);
  if (block === undefined || !labels.includes(block.label)) {
    throw unusable(`is no ${labels.join(' or ')} in PEM; make one with \`cosign generate-key-pair\``);
  }
  try {
    return v.parse(envelope, parseJson(block.bytes.toString('utf8'), { mostCharacters: longest }));
  } catch {
    // The cause would quote the key.
    throw unusable('does not use scrypt and nacl/secretbox with the parameters cosign writes');
  }
}

let deriving: Promise<unknown> = Promise.resolve();

/** One after the other in a process: each takes 32 to 128 MB, and a stack change asks for many at once. */
function derived(password: string, salt: Buffer, N: number): Promise<Buffer> {
  const turn = deriving.then(() => derive(password, salt, N));
  deriving = turn.catch(() => undefined);
  return turn;
}

function derive(password: string, salt: Buffer, N: number): Promise<Buffer> {
  const cost = { N, r: 8, p: 1, maxmem: 256 * N * 8 };
  return new Promise((resolve, reject) => {
    scrypt(password, salt, keyBytes, cost, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

function unusable(why: string, cause?: unknown): PermanentError {
  return new PermanentError('SigningKeyUnusable', `the cosign key ${why}`, cause === undefined ? undefined : { cause });
}
