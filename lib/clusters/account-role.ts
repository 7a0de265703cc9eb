/**
 * A ServiceAccount's own cloud identity at ECR (IAM roles for service accounts): the cluster issues a token of the account, STS gives the role
 * that the account's annotation names for it, ECR a token for that. The role trusts the account, so a role of somebody else is refused by AWS.
 */
import type { NamedAccount } from '../buildpacks/opening.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import { type EcrRegistry, type EcrToken, ecrRegistryOf, type GetEcrToken } from '../oci/ecr.ts';
import type { AwsIdentity } from '../oci/ecr-token.ts';
import { OciError } from '../oci/errors.ts';
import { keptAnswers } from '../oci/kept-answers.ts';
import type { Authorization, CredentialSource } from '../oci/keychain.ts';
import { printable } from '../text/printable.ts';
import { StsRefusal } from './sts.ts';
import { roleOfToken } from './web-identity.ts';

/** The annotation that names the role, as EKS reads it for pods. */
export const roleAnnotation = 'eks.amazonaws.com/role-arn';

/** The credentials of an account's own role, asked for through that cluster's API. */
export type AccountRole = (kube: KubeClient, account: NamedAccount) => CredentialSource;

/** How AWS is asked. */
interface AccountRoleOptions {
  readonly tokenAs: (identity: AwsIdentity) => GetEcrToken;
  /** The platform's own unless a test gives another. */
  readonly fetch?: typeof globalThis.fetch;
  /** Unix ms. */
  readonly now?: () => number;
}

const audience = 'sts.amazonaws.com';
/** The shortest that the API takes: the token is used once, at once. */
const tokenSeconds = 600;
/** Accounts and registries remembered by one process. */
const mostKept = 1000;
/** Of the role's hour, so that no credential outlives it by much (ECR's own tokens live twelve). */
const usableMs = 45 * 60_000;
const marginMs = 15 * 60_000;
/** How long a refusal is believed, in ms: a binding or a trust policy may be mended any time. */
const refusedMs = 30_000;

/** A role by its ARN, with a path perhaps (IAM "Identifiers"): what a tenant wrote goes no further unless it is one. */
const rolePattern = /^arn:aws(?:-[a-z]{2,5}){0,3}:iam::\d{12}:role\/[\w+=,.@/-]{1,576}$/;

/** Whether the text names a role. */
export const isRoleArn = (text: string): boolean => rolePattern.test(text);

type Answer = { readonly authorization: Authorization } | { readonly refused: string };

/** Whether AWS said no to who asked, as opposed to being out of order. */
const isRefusal = (error: unknown): boolean => {
  const status =
    (error as { readonly $metadata?: { readonly httpStatusCode?: number } }).$metadata?.httpStatusCode ?? 0;
  return error instanceof Error && status >= 400 && status < 500 && status !== 429;
};

/** Makes sources of credentials from accounts. Tokens are kept by cluster, account, its uid and role, and by nothing less. */
export const accountRoles = ({
  tokenAs,
  fetch = globalThis.fetch,
  now = Date.now,
}: AccountRoleOptions): AccountRole => {
  const kept = keptAnswers<Answer>({ most: mostKept, failureMs: 0, now });

  const ask = async (
    kube: KubeClient,
    { namespace, name }: NamedAccount,
    roleArn: string,
    registry: EcrRegistry,
  ): Promise<Answer & { readonly expiresAtMs?: number }> => {
    let token: string;
    try {
      token = await kube.token({ namespace, name }, audience, tokenSeconds);
    } catch (error) {
      if (!isKubeError(error, 'forbidden')) throw error;
      const bind = `bind ClusterRole kpackless-tenant-cloud-identity in namespace ${namespace}`;
      return { refused: `kpackless may not ask for a token of ServiceAccount ${namespace}/${name} (${bind})` };
    }
    const { region } = registry;
    let answer: EcrToken;
    try {
      const credentials = await roleOfToken({ roleArn, region, token, fetch });
      answer = await tokenAs(() => Promise.resolve(credentials))(registry);
    } catch (error) {
      if (error instanceof StsRefusal && error.pace === 'slow') {
        const trust = `does it trust ServiceAccount ${namespace}/${name} of this cluster?`;
        return { refused: `STS does not give role ${roleArn}: ${error.message}; ${trust}` };
      }
      if (isRefusal(error)) return { refused: `role ${roleArn} may not ecr:GetAuthorizationToken` };
      const because = printable(error instanceof Error ? error.message : '', 200);
      throw new OciError('unavailable', `no ECR token as ${roleArn}: ${because}`, { cause: error });
    }
    const { username, password, expiresAtMs } = answer;
    return { authorization: { kind: 'basic', username, password }, expiresAtMs };
  };

  return (kube, account) => {
    const { namespace, name, object } = account;
    const uid = object?.metadata?.uid ?? '';
    const roleArn = object?.metadata?.annotations?.[roleAnnotation] ?? '';
    /** What was last said no to, for the message of the registry that is asked all the same. */
    let refused: string | undefined;
    return {
      keychain: async ({ registry: host }) => {
        const registry = ecrRegistryOf(host);
        if (registry === undefined || uid === '' || !isRoleArn(roleArn)) return undefined;
        const { region, fips } = registry;
        const key = JSON.stringify([kube.cluster ?? '', namespace, name, uid, roleArn, region, fips]);
        const answer = await kept(key, async () => {
          const askedMs = now();
          const { expiresAtMs, ...value } = await ask(kube, account, roleArn, registry);
          const untilMs =
            expiresAtMs === undefined ? askedMs + refusedMs : Math.min(askedMs + usableMs, expiresAtMs - marginMs);
          return { value, untilMs };
        });
        if ('authorization' in answer) return answer.authorization;
        refused = answer.refused;
        return undefined;
      },
      missing: ({ registry }) => {
        if (ecrRegistryOf(registry) === undefined || object === undefined) return undefined;
        if (roleArn === '') return `the account has no role of its own (annotation ${roleAnnotation})`;
        if (!isRoleArn(roleArn)) return `its annotation ${roleAnnotation} is no ARN of a role`;
        return refused;
      },
    };
  };
};
