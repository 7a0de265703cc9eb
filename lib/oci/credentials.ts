/** Keychains from Kubernetes Secrets: those of a ServiceAccount and image pull secrets (spec 03 §16.3, spec 04 §10). Pure: reads nothing. */
import { ExpectedError } from '../errors/expected.ts';
import { basicLoginIn } from '../secrets/basic-secret.ts';
import { SecretError } from '../secrets/secret-text.ts';
import {
  DockerConfigError,
  type DockerLogin,
  type KnownLogin,
  parseDockerCfg,
  parseDockerConfigJson,
} from './docker-config.ts';
import { type Authorization, firstOf, type Keychain } from './keychain.ts';
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

/** The login that was meant for a registry cannot be used. Tried again slowly: nobody tells us when a Secret is put right. */
class CredentialError extends ExpectedError {
  override readonly name = 'CredentialError';
}

/** The authorization, if it is one. @throws CredentialError for a login that cannot be used */
export const usable = (login: KnownLogin): Authorization => {
  if (login.kind !== 'unusable') return login;
  throw new CredentialError(login.why, { pace: 'slow' });
};

const decoded = ({ data = {} }: CredentialSecret, key: string): string =>
  Buffer.from(data[key] ?? '', 'base64').toString('utf8');

const bytesIn =
  ({ data = {} }: CredentialSecret) =>
  (key: string): Uint8Array =>
    Buffer.from(data[key] ?? '', 'base64');

/** Says of a failure which Secret it is about, and none of its content. */
const ofSecret = ({ metadata, type }: CredentialSecret, why: string): string =>
  `Secret ${metadata?.namespace ?? ''}/${metadata?.name ?? ''} of type ${type}: ${why}`;

const readLogins = (secret: CredentialSecret): readonly DockerLogin[] => {
  switch (secret.type) {
    case 'kubernetes.io/dockerconfigjson':
      return parseDockerConfigJson(decoded(secret, '.dockerconfigjson'));
    case 'kubernetes.io/dockercfg':
      return parseDockerCfg(decoded(secret, '.dockercfg'));
    case 'kubernetes.io/basic-auth': {
      const key = secret.metadata?.annotations?.['kpack.io/docker'];
      return key === undefined ? [] : [{ key, login: basicLogin(secret) }];
    }
    default:
      return [];
  }
};

const basicLogin = (secret: CredentialSecret): KnownLogin => {
  try {
    return { kind: 'basic', ...basicLoginIn(secret.metadata?.name ?? '', bytesIn(secret)) };
  } catch (error) {
    if (error instanceof SecretError) return { kind: 'unusable', why: error.message };
    throw error;
  }
};

/** Logins of one Secret, each with its own fault if it has one; none when it is of another type. Throws DockerConfigError. */
const loginsIn = (secret: CredentialSecret): readonly DockerLogin[] =>
  readLogins(secret).map(({ key, login }) => ({
    key,
    login: login.kind === 'unusable' ? { ...login, why: ofSecret(secret, login.why) } : login,
  }));

/** Of a config that is no JSON nobody knows which registries it speaks of, so it stands in nobody's way; `unreadableIn` tells of it. */
const readableIn = (secret: CredentialSecret): readonly DockerLogin[] => {
  try {
    return loginsIn(secret);
  } catch (error) {
    if (error instanceof DockerConfigError) return [];
    throw error;
  }
};

/** Sentences about Secrets that cannot be read at all. */
export const unreadableIn = ({ accountSecrets = [], pullSecrets = [] }: SecretLists): readonly string[] =>
  [...accountSecrets, ...pullSecrets].flatMap((secret) => {
    try {
      loginsIn(secret);
      return [];
    } catch (error) {
      if (error instanceof DockerConfigError) return [ofSecret(secret, error.message)];
      throw error;
    }
  });

const isPullSecret = ({ type }: CredentialSecret): boolean =>
  type === 'kubernetes.io/dockerconfigjson' || type === 'kubernetes.io/dockercfg';

/** What throws becomes a promise that rejects, as whoever asks a keychain expects. */
const answer = async <T>(give: () => T): Promise<T> => give();

/** The first login whose key is exactly the registry. */
const exactly =
  (logins: readonly DockerLogin[]): Keychain =>
  ({ registry }) => {
    const keys = exactKeys(registry);
    const found = logins.find(({ key }) => keys.has(key));
    return answer(() => found && boundToScheme(found.key, registry, usable(found.login)));
  };

/** Kubernetes' way: keys in reverse order, so that the longer of two comes first; the first of equals in order of Secrets. */
const byLongestKey = (logins: readonly DockerLogin[]): Keychain => {
  const bare = logins.map(({ key, login }) => ({ key: bareKey(key), written: key, login }));
  const sorted = bare.sort((a, b) => Buffer.compare(Buffer.from(b.key), Buffer.from(a.key)));
  return (repository) => {
    const found = sorted.find(({ key }) => coversRepository(key, repository));
    return answer(() => found && boundToScheme(found.written, repository.registry, usable(found.login)));
  };
};

/**
 * The keychain kpack would build from these Secrets: exact keys of the account's Secrets, then pull secrets by Kubernetes' rules. Beyond
 * kpack, and only when both are silent: the account's Secrets by Kubernetes' rules too, so that `docker.io`, `ghcr.io/team` or
 * `*.example.com` do what their author meant. A login that cannot be used harms what its key speaks of and nothing else: the keychain rejects with
 * CredentialError when it is asked for that.
 */
export const keychainFromSecrets = ({ accountSecrets = [], pullSecrets = [] }: SecretLists): Keychain => {
  const account = accountSecrets.flatMap(readableIn);
  const pull = pullSecrets.filter(isPullSecret).flatMap(readableIn);
  return firstOf(exactly(account), byLongestKey(pull), byLongestKey(account));
};
