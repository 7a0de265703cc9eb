/** Settings of kpack's controller that an operator has changed, and what kpackless calls them (spec 05 §2.4, §3; docs/commands.md). Pure. */
import type { LiveDeployment } from './kpack.ts';

/** One that is not as kpack ships it. */
export interface ChangedSetting {
  readonly kpack: string;
  readonly value: string;
  /** What is to be set for kpackless, `NAME=value`; undefined where there is no such thing. */
  readonly ours: string | undefined;
}

/** As kpack ships it, and the name of ours. */
const known: Readonly<Record<string, readonly [shipped: string, ours?: string]>> = {
  ENABLE_PRIORITY_CLASSES: ['false', 'KPACKLESS_PRIORITY_CLASSES'],
  INJECTED_SIDECAR_SUPPORT: ['false', 'KPACKLESS_INJECTED_SIDECAR_SUPPORT'],
  EXPERIMENTAL_GENERATE_SLSA_ATTESTATION: ['false', 'KPACKLESS_SLSA_ATTESTATION'],
  INSECURE_SSH_TRUST_UNKNOWN_HOSTS: ['true', 'KPACKLESS_TRUST_UNKNOWN_SSH_HOSTS'],
  MAXIMUM_PLATFORM_API_VERSION: ['', 'KPACKLESS_MAXIMUM_PLATFORM_API'],
  SYSTEM_SERVICE_ACCOUNT: ['controller', 'KPACKLESS_SYSTEM_SERVICE_ACCOUNT'],
  GIT_RESOLVER_USE_SHALLOW_CLONE: ['false'],
  CREDENTIAL_PROVIDER_SECRET_PATH: [''],
};

/** Those that are not as shipped; what is taken from elsewhere (`valueFrom`) is not looked at. */
export const changedSettings = ({ spec }: LiveDeployment): readonly ChangedSetting[] => {
  const env = spec?.template.spec?.containers.flatMap((container) => container.env ?? []) ?? [];
  return env.flatMap(({ name, value }) => {
    const [shipped, ours] = known[name] ?? [];
    if (value === undefined || shipped === undefined || value === shipped) return [];
    return [{ kpack: name, value, ours: ours === undefined ? undefined : `${ours}=${value}` }];
  });
};
