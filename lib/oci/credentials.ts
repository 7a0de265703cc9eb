/** Keychains from Kubernetes Secrets: those of a ServiceAccount and image pull secrets (spec 03 §16.3, spec 04 §10). Pure: reads nothing. */
import { ExpectedError } from '../errors/expected.ts';
import { secretWord } from '../secrets/secret-text.ts';
import { type DockerLogin, parseDockerCfg, parseDockerConfigJson } from './docker-config.ts';
import { firstOf, type Keychain } from './keychain.ts';
import { bareKey, boundToScheme, coversRepository, exactKeys } from './registry-keys.ts';

/** As much of a Secret as is looked at; a Secret of the API fits as it is. `data` values are base64. */
export interface CredentialSecret {
  readonly metadata?:
    | {
        readonly name?: string | undefined;
        readonly namespace?: string | undefined;
        readonly annotations?: Readonly<Record<string, string>> | undefined;
      }
    | undefined;
  readonly type?: string | undefined;
  readonly data?: Readonly<Record<string, string>> | undefined;
}

/** The Secrets a keychain is made of, each list in the order it is written in; missing Secrets are simply not in it. */
export interface SecretLists {
  /** `.secrets` of the ServiceAccount. */
  readonly accountSecrets?: readonly CredentialSecret[] | undefined;
  /** Explicit imagePullSecrets first, then those of the ServiceAccount. */
  readonly pullSecrets?: readonly CredentialSecret[] | undefined;
}

/** A Secret holds no usable registry credential. Tried again slowly: nobody tells us when a Secret is put right. */
class CredentialError extends ExpectedError {
  override readonly name = 'CredentialError';
}

const decoded = ({ data = {} }: CredentialSecret, key: string): string =>
  Buffer.from(data[key] ?? '', 'base64').toString('utf8');

const word = (secret: CredentialSecret, key: string): string =>
  secretWord({ secret: secret.metadata?.name ?? '', key }, Buffer.from(secret.data?.[key] ?? '', 'base64'));

const readLogins = (secret: CredentialSecret): readonly DockerLogin[] => {
  switch (secret.type) {
    case 'kubernetes.io/dockerconfigjson':
      return parseDockerConfigJson(decoded(secret, '.dockerconfigjson'));
    case 'kubernetes.io/dockercfg':
      return parseDockerCfg(decoded(secret, '.dockercfg'));
    case 'kubernetes.io/basic-auth': {
      const key = secret.metadata?.annotations?.['kpack.io/docker'];
      if (key === undefined) return [];
      const [username, password] = [word(secret, 'username'), word(secret, 'password')];
      return [{ key, authorization: { kind: 'basic', username, password } }];
    }
    default:
      return [];
  }
};

/** Logins of one Secret; none when it is of another type. Throws CredentialError, naming the Secret and none of its content. */
const loginsIn = (secret: CredentialSecret): readonly DockerLogin[] => {
  try {
    return readLogins(secret);
  } catch (error) {
    const { namespace = '', name = '' } = secret.metadata ?? {};
    const because = error instanceof Error ? error.message : '';
    throw new CredentialError(`Secret ${namespace}/${name} of type ${secret.type}: ${because}`, { pace: 'slow' });
  }
};

const isPullSecret = ({ type }: CredentialSecret): boolean =>
  type === 'kubernetes.io/dockerconfigjson' || type === 'kubernetes.io/dockercfg';

/** The first login whose key is exactly the registry. */
const exactly =
  (logins: readonly DockerLogin[]): Keychain =>
  ({ registry }) => {
    const keys = exactKeys(registry);
    const found = logins.find(({ key }) => keys.has(key));
    return Promise.resolve(found && boundToScheme(found.key, registry, found.authorization));
  };

/** Kubernetes' way: keys in reverse order, so that the longer of two comes first; the first of equals in order of Secrets. */
const byLongestKey = (logins: readonly DockerLogin[]): Keychain => {
  const bare = logins.map(({ key, authorization }) => ({ key: bareKey(key), written: key, authorization }));
  const sorted = bare.sort((a, b) => Buffer.compare(Buffer.from(b.key), Buffer.from(a.key)));
  return (repository) => {
    const found = sorted.find(({ key }) => coversRepository(key, repository));
    return Promise.resolve(found && boundToScheme(found.written, repository.registry, found.authorization));
  };
};

/**
 * The keychain kpack would build from these Secrets: exact keys of the account's Secrets, then pull secrets by Kubernetes' rules. Beyond
 * kpack, and only when both are silent: the account's Secrets by Kubernetes' rules too, so that `docker.io`, `ghcr.io/team` or
 * `*.example.com` do what their author meant. Throws CredentialError for a Secret that cannot be read.
 */
export const keychainFromSecrets = ({ accountSecrets = [], pullSecrets = [] }: SecretLists): Keychain => {
  const account = accountSecrets.flatMap(loginsIn);
  const pull = pullSecrets.filter(isPullSecret).flatMap(loginsIn);
  return firstOf(exactly(account), byLongestKey(pull), byLongestKey(account));
};
