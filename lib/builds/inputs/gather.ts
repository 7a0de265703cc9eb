/** Reads everything a build pod is made from (spec 03 §1). Nothing here is cached between passes; images are read by their digest. */
import type { Secret, ServiceAccount } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../../api/build.ts';
import { PermanentError } from '../../errors/expected.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { Dependency } from '../../state/keys.ts';
import type { CallContext } from '../images-port.ts';
import type { Binding, BuildSecret, PodContext } from '../pod/context.ts';
import { type BuildPorts, podSettingsOf } from '../ports.ts';
import { Waiting } from '../waiting.ts';
import { bindingsFrom, hasBindings, type ResolvedService, refuseCredentials } from './bindings.ts';
import { builderImageFrom } from './builder-image.ts';
import { builderOf, builderReference } from './builder-of.ts';
import { provisionedSecret } from './provisioned-service.ts';
import { buildSecretOf, forbiddenSecrets, pullSecretNames, secretNames } from './service-account.ts';

/** Watched objects whose arrival may end a wait. Secrets are not watched (DESIGN §3.8). */
export const dependenciesOf = (build: Build): readonly Dependency[] => {
  const builder = builderReference(build);
  const account = {
    kind: 'ServiceAccount',
    namespace: build.metadata.namespace ?? '',
    name: build.spec.serviceAccountName,
  };
  return builder === undefined ? [account] : [account, builder];
};

const serviceAccount = async (build: Build, kube: KubeClient): Promise<ServiceAccount> => {
  const name = build.spec.serviceAccountName;
  const namespace = build.metadata.namespace ?? '';
  const found = await kube.get<ServiceAccount>({ kind: 'ServiceAccount', namespace, name });
  if (found === undefined)
    throw new Waiting(
      'MissingServiceAccount',
      `serviceaccounts "${name}" not found: create it in namespace ${namespace} or name another in a new Build`,
    );
  return found;
};

const secretOf = async (name: string, account: string, namespace: string, kube: KubeClient): Promise<BuildSecret> => {
  const found = await kube.get<Secret>({ kind: 'Secret', namespace, name });
  if (found === undefined)
    throw new Waiting(
      'MissingSecret',
      `secrets "${name}" not found: create it in namespace ${namespace} or take it off ServiceAccount ${account}`,
    );
  return buildSecretOf(found);
};

/** Each costs a request and a volume in the pod. */
const mostServices = 100;

/** Services of kind Secret stand for themselves; any other kind says its Secret in its status. */
const resolvedServices = (build: Build, kube: KubeClient): Promise<readonly ResolvedService[]> => {
  const { services = [] } = build.spec;
  if (services.length > mostServices)
    throw new PermanentError('', `spec.services lists ${services.length} bindings, at most ${mostServices} are bound`);
  return Promise.all(
    services.map(async (service) => ({
      name: service.name,
      secret:
        service.kind === 'Secret'
          ? service.name
          : await provisionedSecret(service, build.metadata.namespace ?? '', kube),
    })),
  );
};

/** What a binding names is waited for: a pod that mounts what is not there never starts. Throws Waiting. */
const assertThere = (
  kind: 'Secret' | 'ConfigMap',
  name: string | undefined,
  found: KubeObject | undefined,
  namespace: string,
): void => {
  if (name === undefined || name === '' || found !== undefined) return;
  const what = `${kind.toLowerCase()}s "${name}" not found`;
  const text = `${what}: the Build binds it; create it in namespace ${namespace}, or take the binding off the Image`;
  throw new Waiting(`Missing${kind}`, text);
};

const bindings = async (build: Build, kube: KubeClient): Promise<readonly Binding[]> => {
  if (!hasBindings(build)) return [];
  const namespace = build.metadata.namespace ?? '';
  const accounts = await kube.list<ServiceAccount>('ServiceAccount', { namespace });
  const bound = bindingsFrom(build, await resolvedServices(build, kube), forbiddenSecrets(accounts));
  const read = async <T extends KubeObject>(kind: string, name: string | undefined): Promise<T | undefined> =>
    name === undefined || name === '' ? undefined : kube.get<T>({ kind, namespace, name });
  const [secrets, metadata] = await Promise.all([
    Promise.all(bound.map(({ secret }) => read<Secret & KubeObject>('Secret', secret))),
    Promise.all(bound.map((one) => read('ConfigMap', one.kind === 'cnb' ? one.metadata : undefined))),
  ]);
  refuseCredentials(bound, secrets);
  for (const [index, one] of bound.entries()) {
    assertThere('Secret', one.secret, secrets[index], namespace);
    assertThere('ConfigMap', one.kind === 'cnb' ? one.metadata : undefined, metadata[index], namespace);
  }
  return bound;
};

/**
 * The context of the Build's pod. Throws Waiting for what is named but not there, PermanentError for what can never work, and lets
 * failures of API server and registry pass.
 */
export const gather = async (build: Build, ports: BuildPorts, call: CallContext, now: Date): Promise<PodContext> => {
  const { kube } = call;
  const namespace = build.metadata.namespace ?? '';
  const account = await serviceAccount(build, kube);
  const [bound, secrets, builder] = await Promise.all([
    bindings(build, kube),
    Promise.all(secretNames(account).map((name) => secretOf(name, build.spec.serviceAccountName, namespace, kube))),
    builderOf(build, kube),
  ]);
  const facts = await ports.images.read(builder.image, builder.account, call);
  return {
    programs: ports.programs,
    settings: podSettingsOf(build, ports),
    builder: builderImageFrom(builder.image, facts),
    secrets,
    pullSecrets: pullSecretNames(account),
    bindings: bound,
    now,
  };
};
