/** What opens a blob from here: the Secrets that the build pod would be given (spec 02 §8.7), never the pod's own identity. */

import { blobAnnotation } from '../api/labels.ts';
import type { BlobSource } from '../api/source-config.ts';
import type { KubeClient } from '../kube/client.ts';
import { blobAuthorizationIn } from '../secrets/blob-secret.ts';
import { SecretError } from '../secrets/secret-text.ts';
import { accountSecrets } from './account-credential.ts';
import type { NotFollowed } from './followed-version.ts';

const podOnly: NotFollowed = {
  notFollowed: 'the blob is opened by the identity of the build pod, which is not known here',
};

/** The Authorization header, or why it cannot be known here. @throws KubeError */
export const blobAuthorization = async (
  kube: Pick<KubeClient, 'get'>,
  namespace: string,
  serviceAccount: string,
  { url, auth }: Pick<BlobSource, 'auth' | 'url'>,
): Promise<{ readonly authorization: string } | NotFollowed> => {
  if (auth !== 'secret') return podOnly;
  const secrets = await accountSecrets(kube, namespace, serviceAccount);
  const annotated = secrets.filter(({ metadata }) => metadata?.annotations?.[blobAnnotation] !== undefined);
  if (annotated.length === 0) return podOnly;
  const host = URL.canParse(url) ? new URL(url).hostname : '';
  const secret = annotated.find(({ metadata }) => metadata?.annotations?.[blobAnnotation] === host);
  if (secret === undefined) return { notFollowed: `no Secret of the account is annotated ${blobAnnotation}: ${host}` };
  try {
    const bytes = (key: string): Uint8Array => Buffer.from(secret.data?.[key] ?? '', 'base64');
    return { authorization: blobAuthorizationIn(secret.metadata?.name ?? '', bytes) };
  } catch (error) {
    if (error instanceof SecretError) return { notFollowed: error.message };
    throw error;
  }
};
