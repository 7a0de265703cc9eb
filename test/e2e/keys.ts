/** Signing keys of stories: the Secret, and the key that its signatures are checked with. */
import { randomBytes } from 'node:crypto';
import { cosignKey } from '../support/cosign-key.ts';
import type { StorySecret } from './objects.ts';

/** A key pair as `cosign generate-key-pair k8s://…` leaves it. */
const signingKey = (name: string, annotations: Readonly<Record<string, string>> = {}) => {
  const password = randomBytes(12).toString('hex');
  const { pem, publicKey } = cosignKey(password);
  const values = { 'cosign.key': pem, 'cosign.password': password };
  const secret: StorySecret = { name, type: 'Opaque', annotations, values };
  return { secret, publicKey };
};

/** Signs all builders. */
export const builderKey = signingKey('builder-key');
/** Signs images and their provenance. */
export const appKey = signingKey('app-key', { 'kpack.io/slsa': '' });
/** Signs images only. */
export const secondKey = signingKey('second-key');
