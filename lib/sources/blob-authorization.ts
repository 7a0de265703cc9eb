/** What opens a blob from here: the Secrets that the build pod would be given (spec 02 §8.7), never the pod's own identity. */

import { blobAnnotation } from '../api/labels.ts';
import type { BlobSource } from '../api/source-config.ts';
import type { KubeClient } from '../kube/client.ts';
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
  const text = (key: string): string => Buffer.from(secret?.data?.[key] ?? '', 'base64').toString('utf8');
  const [username, password] = [text('username'), text('password')];
  const found = [
    ...(username || password ? [`Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`] : []),
    ...(text('bearer') === '' ? [] : [`Bearer ${text('bearer')}`]),
    ...(text('authorization') === '' ? [] : [text('authorization')]),
  ];
  const [only, ...others] = found;
  if (only === undefined || others.length > 0)
    return { notFollowed: `no Secret annotated ${blobAnnotation}: ${host} has exactly one way to log in` };
  return { authorization: only.trim() };
};
