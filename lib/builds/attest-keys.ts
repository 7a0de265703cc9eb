/** The Secrets of the accounts that a Build is attested with, and the signing keys among them (spec 02 §6.7, spec 03 §19.1). */
import type { Secret, ServiceAccount } from 'kubernetes-types/core/v1.d.ts';
import { slsaAnnotation } from '../api/labels.ts';
import { mapBounded } from '../buildpacks/bounded.ts';
import { PermanentError } from '../errors/expected.ts';
import type { KubeClient } from '../kube/client.ts';
import { openCosignKey } from '../signing/cosign-key.ts';
import type { EnvelopeSigner } from '../signing/dsse.ts';
import { openPkcs8Key } from '../signing/pkcs8-key.ts';

/** An account by name. */
export interface AccountName {
  readonly namespace: string;
  readonly name: string;
}

/** An account and what it lists; undefined when there is no such account. */
export interface AccountSecrets {
  readonly account: ServiceAccount | undefined;
  readonly secrets: readonly Secret[];
}

const secretsAtOnce = 4;

/** The account with its Secrets, each once; what is missing is passed over. @throws KubeError */
export const accountSecrets = async (kube: KubeClient, { namespace, name }: AccountName): Promise<AccountSecrets> => {
  const account = await kube.get<ServiceAccount>({ kind: 'ServiceAccount', namespace, name });
  const names = [...new Set((account?.secrets ?? []).flatMap((secret) => secret.name || []))];
  const found = await mapBounded(names, secretsAtOnce, (secret) =>
    kube.get<Secret>({ kind: 'Secret', namespace, name: secret }),
  );
  return { account, secrets: found.flatMap((secret) => secret ?? []) };
};

const decoded = (text: string): string => Buffer.from(text, 'base64').toString('utf8');

const opened = async (secret: Secret, open: () => EnvelopeSigner['key'] | Promise<EnvelopeSigner['key']>) => {
  const { name = '', namespace = '' } = secret.metadata ?? {};
  try {
    return { keyId: name, key: await open() };
  } catch (error) {
    if (!(error instanceof PermanentError)) throw error;
    throw new PermanentError(error.reason, `Secret ${namespace}/${name}: ${error.message}`, { cause: error });
  }
};

/** The keys of annotated Secrets: cosign's first, then PKCS#8, each in the order given. @throws PermanentError naming a Secret whose key is unusable */
export const signersOf = async (secrets: readonly Secret[]): Promise<readonly EnvelopeSigner[]> => {
  const annotated = secrets.filter(({ metadata }) => metadata?.annotations?.[slsaAnnotation] !== undefined);
  const signers: EnvelopeSigner[] = [];
  for (const secret of annotated) {
    const { 'cosign.key': key, 'cosign.password': password } = secret.data ?? {};
    if (key === undefined || password === undefined) continue;
    signers.push(await opened(secret, () => openCosignKey(decoded(key), decoded(password))));
  }
  for (const secret of annotated) {
    const key = secret.data?.['ssh-privatekey'];
    if (key !== undefined) signers.push(await opened(secret, () => openPkcs8Key(decoded(key))));
  }
  return signers;
};
