/** Dead Simple Signing Envelopes, as in-toto attestations travel in (spec 03 §19.3; DSSE 1.0). */
import type { KeyObject } from 'node:crypto';
import { signatureOf } from './signature.ts';

/** A key with the name that verifiers find it by. */
export interface EnvelopeSigner {
  readonly keyId: string;
  /** RSA, ECDSA or Ed25519. */
  readonly key: KeyObject;
}

/** The bytes that are signed: type and content, each with its length, so that neither can be taken for part of the other. */
export const preAuthenticationEncoding = (payloadType: string, payload: Uint8Array): Buffer =>
  Buffer.concat([
    Buffer.from(`DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.byteLength} `),
    payload,
  ]);

/** The envelope as JSON; without signers its list of signatures is empty. */
export const sealEnvelope = (
  payloadType: string,
  payload: Uint8Array,
  signers: readonly EnvelopeSigner[],
): Uint8Array => {
  const signed = preAuthenticationEncoding(payloadType, payload);
  const envelope = {
    payloadType,
    payload: Buffer.from(payload).toString('base64'),
    signatures: signers.map(({ keyId, key }) => ({ keyid: keyId, sig: signatureOf(signed, key).toString('base64') })),
  };
  return new TextEncoder().encode(JSON.stringify(envelope));
};
