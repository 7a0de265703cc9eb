/**
 * The authority that vouches for whoever converts, kept in a Secret of the cluster: every process that serves conversion makes its own short-lived certificate
 * of it, and the definitions trust it. So certificates change without anybody else noticing, and two processes need not agree on anything else.
 */
import type { Secret } from 'kubernetes-types/core/v1.d.ts';
import { ExpectedError } from '../errors/expected.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/object.ts';
import { isAuthority, makeAuthority, type Pair } from '../tls/certificate.ts';

/** The Secret. It comes with the manifests, empty: whoever serves may read and write this one, and make none. */
export const authorityKey = { kind: 'Secret', namespace: 'kpack', name: 'kpackless-conversion' } as const;

const authorityDays = 3650;
/** One that is so near to its end gets a successor, beside which it stays trusted. */
const renewedDays = 365;
/** Who was not first takes what the first one made; more than that is no race of a few processes. */
const triesOnConflict = 5;

/** What vouches now, and everything that is to be trusted. */
export interface Authority {
  readonly pair: Pair;
  /** PEM certificates: of the authority, and of the one before it. */
  readonly trusted: string;
}

type StoredSecret = Secret & KubeObject;

const textIn = ({ data }: StoredSecret, name: string): string =>
  Buffer.from(data?.[name] ?? '', 'base64').toString('utf8');

const firstCertificate = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----\n?/;

const read = (secret: StoredSecret): Authority => {
  const trusted = textIn(secret, 'ca.crt');
  const cert = firstCertificate.exec(trusted.slice(0, 64 * 1024))?.[0] ?? '';
  return { pair: { cert, key: textIn(secret, 'ca.key') }, trusted };
};

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');

/** A successor in the Secret, beside the certificate that was trusted until now. @throws KubeError `conflict` when somebody else was first */
const succeed = async (kube: KubeClient, secret: StoredSecret, now: Date): Promise<Authority> => {
  const before = read(secret);
  const pair = makeAuthority('kpackless conversion', { now, days: authorityDays });
  const trusted = pair.cert + (isAuthority(before.pair, { now, days: 0 }) ? before.pair.cert : '');
  await kube.replace<StoredSecret>({
    ...secret,
    data: { ...secret.data, 'ca.crt': base64(trusted), 'ca.key': base64(pair.key) },
  });
  return { pair, trusted };
};

/**
 * The authority, made or renewed if need be; of several processes that do at once one is first, and the others take what it made.
 * @throws ExpectedError when the Secret is not there, KubeError
 */
export const conversionAuthority = async (kube: KubeClient, now: Date): Promise<Authority> => {
  for (let tries = 1; ; tries += 1) {
    const secret = await kube.get<StoredSecret>(authorityKey);
    if (secret === undefined)
      throw new ExpectedError(
        `Secret ${authorityKey.namespace}/${authorityKey.name} is missing, so nobody converts v1alpha1: apply infra/cluster/conversion.yaml`,
        { pace: 'slow' },
      );
    const known = read(secret);
    if (isAuthority(known.pair, { now, days: renewedDays })) return known;
    try {
      return await succeed(kube, secret, now);
    } catch (error) {
      if (!isKubeError(error, 'conflict') || tries >= triesOnConflict) throw error;
    }
  }
};
