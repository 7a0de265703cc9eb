/** A Secret that signs images: a cosign key, its password, and where its signatures go (spec 03 §6.2, §17; spec 04 §8.8). */
import type { KeyObject } from 'node:crypto';
import type { Secret } from 'kubernetes-types/core/v1.d.ts';
import { cosignDockerMediaTypesAnnotation, cosignRepositoryAnnotation } from '../api/labels.ts';
import { parseRepository, type Repository } from '../oci/reference.ts';
import { openCosignKey } from './cosign-key.ts';

/** A key that is open, and how it is used. */
export interface SigningKey {
  /** Name of its Secret. */
  readonly secret: string;
  readonly key: KeyObject;
  /** Absent: beside the image. */
  readonly repository?: Repository | undefined;
  readonly dockerMediaTypes: boolean;
}

const decoded = (text: string | undefined): string => Buffer.from(text ?? '', 'base64').toString('utf8');

/** Opens the key of a Secret; without a password it is the empty one. Throws PermanentError, which does not name the Secret. */
export const openKeySecret = async ({ metadata, data = {} }: Secret): Promise<SigningKey> => {
  const { name = '', annotations = {} } = metadata ?? {};
  const repository = annotations[cosignRepositoryAnnotation] ?? '';
  return {
    secret: name,
    ...(repository !== '' && { repository: parseRepository(repository) }),
    // As Go reads a boolean.
    dockerMediaTypes: /^(?:1|t|T|TRUE|true|True)$/.test(annotations[cosignDockerMediaTypesAnnotation] ?? ''),
    key: await openCosignKey(decoded(data['cosign.key']), decoded(data['cosign.password'])),
  };
};
