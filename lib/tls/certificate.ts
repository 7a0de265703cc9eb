/**
 * Certificates for a server of ours that only the API server calls: an authority that lives long, and short-lived certificates of it (RFC 5280). One profile:
 * ECDSA with P-256 and SHA-256. Node signs, but makes no certificates; libraries that do bring twenty times what is needed here.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import { type Address, bitsOf, parseAddress } from '../egress/address.ts';
import { bits, explicit, implicit, integer, octets, oid, sequence, setOf, time, truth, utf8 } from './der.ts';

/** A certificate and its private key, both PEM. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** From when, and until when. */
export interface Validity {
  readonly now: Date;
  readonly days: number;
}

const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'));
/** Clocks of others may be behind. */
const skewMilliseconds = 3_600_000;
const dayMilliseconds = 86_400_000;

const nameOf = (common: string): Buffer => sequence(setOf(sequence(oid('2.5.4.3'), utf8(common))));

const extension = (id: string, isCritical: boolean, value: Uint8Array): Buffer =>
  sequence(oid(id), ...(isCritical ? [truth(true)] : []), octets(value));

/** What tells keys apart: two authorities of one name are both trusted while one follows the other (RFC 5280 §4.2.1.1, §4.2.1.2). */
const keyId = (key: KeyObject): Buffer =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()
    .subarray(0, 20);

const addressBytes = ({ family, value }: Address): Buffer =>
  Buffer.from(value.toString(16).padStart(bitsOf(family) / 4, '0'), 'hex');

/** A DNS name or an IP address, as a GeneralName (RFC 5280 §4.2.1.6). */
const generalName = (name: string): Buffer => {
  const address = parseAddress(name);
  return address === undefined ? implicit(2, Buffer.from(name, 'ascii')) : implicit(7, addressBytes(address));
};

const pem = (der: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replaceAll(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`;

const newKey = (): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' });

interface Wanted extends Validity {
  readonly subject: string;
  readonly issuer: string;
  readonly publicKey: KeyObject;
  readonly signer: KeyObject;
  readonly extensions: readonly Buffer[];
}

const certificate = ({ subject, issuer, publicKey, signer, extensions, now, days }: Wanted): string => {
  // Positive, and never twice.
  const serial = randomBytes(16);
  serial[0] = (serial[0] ?? 0) & 0x7f;
  const toBeSigned = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(serial),
    ecdsaWithSha256,
    nameOf(issuer),
    sequence(time(new Date(now.getTime() - skewMilliseconds)), time(new Date(now.getTime() + days * dayMilliseconds))),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    explicit(
      3,
      sequence(
        ...extensions,
        extension('2.5.29.14', false, octets(keyId(publicKey))),
        extension('2.5.29.35', false, sequence(implicit(0, keyId(createPublicKey(signer))))),
      ),
    ),
  );
  return pem(sequence(toBeSigned, ecdsaWithSha256, bits(sign('sha256', toBeSigned, signer))));
};

const pkcs8 = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

/** A new authority of that name. */
export const makeAuthority = (name: string, validity: Validity): Pair => {
  const { privateKey, publicKey } = newKey();
  const extensions = [
    extension('2.5.29.19', true, sequence(truth(true))),
    // keyCertSign
    extension('2.5.29.15', true, bits(Buffer.from([0x04]), 2)),
  ];
  const cert = certificate({ ...validity, subject: name, issuer: name, publicKey, signer: privateKey, extensions });
  return { cert, key: pkcs8(privateKey) };
};

const commonNameOf = (cert: string): string => /(?:^|\n)CN=(.+)/.exec(new X509Certificate(cert).subject)?.[1] ?? '';

/** A new key and a certificate of `authority` for a server that is called by `names`, DNS names or addresses. @throws when the authority is none */
export const issueFor = (authority: Pair, names: readonly string[], validity: Validity): Pair => {
  const { privateKey, publicKey } = newKey();
  const extensions = [
    // digitalSignature
    extension('2.5.29.15', true, bits(Buffer.from([0x80]), 7)),
    // serverAuth
    extension('2.5.29.37', false, sequence(oid('1.3.6.1.5.5.7.3.1'))),
    extension('2.5.29.17', false, sequence(...names.map(generalName))),
  ];
  const cert = certificate({
    ...validity,
    subject: names[0] ?? '',
    issuer: commonNameOf(authority.cert),
    publicKey,
    signer: createPrivateKey(authority.key),
    extensions,
  });
  return { cert, key: pkcs8(privateKey) };
};

/** Whether it is an authority with its own key that lives on for so many days. Whatever it is given. */
export const isAuthority = ({ cert, key }: Pair, { now, days }: Validity): boolean => {
  try {
    const read = new X509Certificate(cert);
    const isItsKey = createPublicKey(createPrivateKey(key)).equals(read.publicKey);
    return read.ca && isItsKey && Date.parse(read.validTo) - now.getTime() > days * dayMilliseconds;
  } catch {
    return false;
  }
};
