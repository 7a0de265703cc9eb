/** What of kpack is installed in a cluster, and what a migration does with each part. Only reads. */
import { defaultLifecycle } from '../../../lib/api/defaults.ts';
import { crdName, type Kind } from '../../../lib/api/kinds.ts';
import type { KubeClient } from '../../../lib/kube/client.ts';
import { type KubeObject, showKey } from '../../../lib/kube/object.ts';
import { asksKpack, holdsOlder, type LiveDefinition, servesOurs } from '../../../lib/migration/definitions.ts';
import { keepersOf } from '../../../lib/migration/keepers.ts';
import {
  buildPriorityClasses,
  isLaidDown,
  kpackController,
  kpackNamespace,
  kpackWebhook,
  kpackWebhookConfigurations,
  type LiveDeployment,
  replicasOf,
} from '../../../lib/migration/kpack.ts';
import { changedSettings } from '../../../lib/migration/settings.ts';
import { isOurDefinition } from '../../crds/whose-cluster.ts';
import { type Checked, unknown, well, wrong } from '../findings.ts';
import { liveDefinitions } from './definitions.ts';
import type { Move } from './move.ts';
import { pagesOf } from './pages.ts';

/** kpack's two Deployments. @throws KubeError */
export const deployments = async ({ client }: Move): Promise<readonly Checked[]> =>
  Promise.all(
    [kpackController, kpackWebhook].map(async (key) => {
      const found = await client.get<LiveDeployment>(key);
      if (found === undefined) return well(key.name, 'is not there');
      if (isLaidDown(found)) return well(key.name, 'was laid down by a migration');
      const version = found.spec?.template.metadata?.labels?.['version'];
      const release = version === undefined ? '' : `, version ${version}`;
      return well(key.name, `${replicasOf(found)} replicas${release}: migrate run gives it 0`);
    }),
  );

/** What an operator has set for kpack's controller, and has to set for kpackless as well. @throws KubeError */
export const settings = async ({ client }: Move): Promise<readonly Checked[]> => {
  const found = await client.get<LiveDeployment>(kpackController);
  const changed = found === undefined ? [] : changedSettings(found);
  if (changed.length === 0) return [well('settings', 'kpack-controller runs as it is shipped')];
  return changed.map(({ kpack, value, ours }) =>
    ours === undefined
      ? unknown(kpack, `is ${value}, and kpackless has no such setting`, 'docs/migration.md says what takes its place')
      : wrong(kpack, `is ${value}, which kpackless does not know of itself`, `set ${ours} for it (docs/commands.md)`),
  );
};

/** Webhook configurations, and definitions that have kpack's webhook convert. @throws KubeError */
export const webhooks = async ({ client }: Move): Promise<readonly Checked[]> => {
  const found: Checked[] = [];
  for (const key of kpackWebhookConfigurations)
    found.push(
      (await client.get<KubeObject>(key)) === undefined
        ? well(showKey(key), 'is not there')
        : well(showKey(key), 'refuses every write once kpack-webhook is away: migrate run deletes it'),
    );
  const asking = [...(await liveDefinitions(client))]
    .filter(([, one]) => asksKpack(one))
    .map(([kind]) => crdName(kind));
  found.push(
    well(
      'conversion',
      asking.length === 0
        ? 'no definition asks kpack’s webhook'
        : `${asking.join(', ')} ask kpack's webhook: migrate run has them ask ours, or nobody`,
    ),
  );
  return found;
};

const countOf = async ({ transport }: Move, kind: Kind): Promise<number> => {
  let count = 0;
  for await (const page of pagesOf(transport, kind)) count += page.length;
  return count;
};

const definitionLook = async (move: Move, kind: Kind, definition: LiveDefinition): Promise<readonly Checked[]> => {
  const name = crdName(kind);
  if (isOurDefinition(definition)) return [well(name, 'is kpackless’')];
  if (!servesOurs(definition))
    return [
      wrong(name, 'does not serve v1alpha2', 'bring kpack up to a release that does: its own upgrade is the way there'),
    ];
  const stored = definition.status?.storedVersions ?? [];
  return [
    holdsOlder(definition)
      ? well(
          name,
          `may be stored as ${stored.join(', ')}: migrate run writes its ${await countOf(move, kind)} objects again`,
        )
      : well(name, `is stored as ${stored.join(', ')}`),
  ];
};

/** Definitions and what is stored. @throws KubeError */
export const definitions = async (move: Move): Promise<readonly Checked[]> => {
  const found = await liveDefinitions(move.client);
  if (found.size === 0)
    return [
      wrong(
        'definitions',
        'there are none of kpack.io',
        'there is nothing to take over: kpackless cluster add, or docs/standalone.md',
      ),
    ];
  const looks: Checked[] = [];
  for (const [kind, definition] of found) looks.push(...(await definitionLook(move, kind, definition)));
  return looks;
};

/** Tools that would bring kpack back, or delete its definitions with everything of theirs. @throws KubeError */
export const keepers = async ({ client }: Move): Promise<readonly Checked[]> => {
  const kept: (readonly [what: string, tools: readonly string[]])[] = [];
  const look = (what: string, object: KubeObject | undefined): void => {
    const tools = object === undefined ? [] : keepersOf(object);
    if (tools.length > 0) kept.push([what, tools]);
  };
  for (const [kind, definition] of await liveDefinitions(client)) look(crdName(kind), definition);
  for (const key of [kpackController, kpackWebhook, ...kpackWebhookConfigurations])
    look(showKey(key), await client.get(key));
  const tools = [...new Set(kept.flatMap(([, names]) => names))];
  if (tools.length === 0) return [well('kept by', 'no label says that a tool keeps kpack as it is')];
  return [
    wrong(
      'kept by',
      `${tools.join(', ')}: ${kept.map(([what]) => what).join(', ')}`,
      'have it let go of kpack without deleting (of kapp: remove the label kapp.k14s.io/app; of Argo CD and Flux: suspend, then remove without pruning): it would bring kpack back, and deleting its definitions deletes every Image',
    ),
  ];
};

/** Names that others refer to: they stay. @throws KubeError */
export const kept = async ({ client }: Move): Promise<readonly Checked[]> => {
  const classes: string[] = [];
  for (const name of buildPriorityClasses)
    if ((await client.get({ kind: 'PriorityClass', namespace: '', name })) !== undefined) classes.push(name);
  return [
    well(
      'priority classes',
      classes.length === 0
        ? 'there are none: KPACKLESS_PRIORITY_CLASSES needs them'
        : `${classes.join(', ')} stay, for KPACKLESS_PRIORITY_CLASSES=true`,
    ),
    await kpConfig(client),
    await lifecycle(client),
  ];
};

const kpConfig = async (client: KubeClient): Promise<Checked> => {
  const found = await client.get({ kind: 'ConfigMap', namespace: kpackNamespace, name: 'kp-config' });
  return found === undefined
    ? unknown('kp-config', 'is not there', 'kp asks for it where it uploads: kp config default-repository sets it')
    : well('kp-config', 'stays: kp goes on with it');
};

/** Builders that name none use this one; a kpack before 0.17 has a ConfigMap in its place (spec 05 §6.2). */
const lifecycle = async (client: KubeClient): Promise<Checked> => {
  const what = `ClusterLifecycle ${defaultLifecycle}`;
  const isServed = (await liveDefinitions(client)).has('ClusterLifecycle');
  const found = isServed && (await client.get({ kind: 'ClusterLifecycle', namespace: '', name: defaultLifecycle }));
  return found === undefined || found === false
    ? wrong(
        what,
        'is not there, and builders that name no lifecycle use it',
        'upgrade kpack to 0.17 first, which has it; or make it after migrate run, with the image of the lifecycle that is used now',
      )
    : well(what, 'stays');
};
