/** The first step of a migration: everything of kpack's is written to a file before anything is changed. */
import { resolve } from 'node:path';
import { crdName } from '../../../lib/api/kinds.ts';
import { PermanentError } from '../../../lib/errors/expected.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { type LiveDefinition, servesOurs } from '../../../lib/migration/definitions.ts';
import {
  backupAnnotation,
  isKpackPermission,
  kpackController,
  kpackWebhook,
  kpackWebhookConfigurations,
} from '../../../lib/migration/kpack.ts';
import { tracesOfKpack } from '../../crds/whose-cluster.ts';
import type { Tell } from '../output.ts';
import { countBackup, isThere, writeBackup } from './backup-file.ts';
import { definitionKey, liveDefinitions } from './definitions.ts';
import type { Move } from './move.ts';
import { pagesOf } from './pages.ts';
import type { MoveStep } from './steps.ts';

const permissions = ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'] as const;

/** No definition is deleted by a migration: the mark stays on this one until `migrate back`. */
const markedKey = definitionKey('Image');

/** The file of a run that has begun to change things; undefined before that. @throws KubeError */
export const backupOf = async ({ client }: Move): Promise<string | undefined> =>
  (await client.get<LiveDefinition>(markedKey))?.metadata?.annotations?.[backupAnnotation];

/** Takes the mark away: the next run begins with a backup anew. @throws KubeError */
export const forgetBackup = async (move: Move): Promise<string> => {
  const path = await backupOf(move);
  if (path === undefined) return 'it is gone';
  await move.client.patch(markedKey, { metadata: { annotations: { [backupAnnotation]: null } } });
  return `the cluster no longer names ${path}; the file stays`;
};

/** All that is written: what `migrate back` needs first, then every object. @throws KubeError, ExpectedError */
const everything = async function* ({ client, transport }: Move, tell: Tell): AsyncGenerator<KubeObject> {
  const definitions = await liveDefinitions(client);
  yield* definitions.values();
  for (const key of [...kpackWebhookConfigurations, kpackController, kpackWebhook]) {
    const found = await client.get(key);
    if (found !== undefined) yield { ...found, apiVersion: found.apiVersion, kind: key.kind };
  }
  for (const kind of permissions) yield* (await client.list(kind)).filter(isKpackPermission);
  let written = 0;
  for (const [kind, definition] of definitions) {
    if (!servesOurs(definition))
      throw new PermanentError(
        'Refused',
        `${crdName(kind)} does not serve v1alpha2: bring kpack up to a release that does first`,
      );
    for await (const page of pagesOf(transport, kind)) {
      yield* page;
      written += page.length;
      tell(`${written} objects`);
    }
  }
};

const fileName = (cluster: string, at: Date): string =>
  `kpack-backup-${cluster.replaceAll(/[^A-Za-z0-9._-]/g, '-').slice(0, 100)}-${at.toISOString().replaceAll(/[-:]|\.\d+/g, '')}.yaml`;

const earlier = async (move: Move, path: string): Promise<string> => {
  if (!(await isThere(path))) {
    if ((await tracesOfKpack(move.client)).length === 0) return `${path} was written by an earlier run; it is not here`;
    throw new PermanentError(
      'Refused',
      `an earlier run has begun to change the cluster and wrote ${path}, which is not here: bring it here, and name it with --backup if it lies elsewhere`,
    );
  }
  const counts = await countBackup(path);
  return `${path} is there from an earlier run, with ${counts.shown}`;
};

/** The step; `file` is the user's choice. */
export const backUp = (file: string | undefined): MoveStep => ({
  what: 'backup of every object, definition, webhook configuration, Deployment and permission of kpack',
  byHand: [
    "kubectl get crd -o yaml $(kubectl get crd -o name | grep '[.]kpack[.]io$' | cut -d/ -f2) > kpack-definitions.yaml",
    'kubectl get -A -o yaml $(kubectl api-resources --api-group kpack.io -o name | paste -sd,) > kpack-objects.yaml',
    'kubectl get -o yaml mutatingwebhookconfiguration/defaults.webhook.kpack.io validatingwebhookconfiguration/validation.webhook.kpack.io > kpack-webhooks.yaml',
    'kubectl -n kpack get -o yaml deployment,role,rolebinding > kpack-deployments.yaml',
  ],
  take: async (move, tell) => {
    const begun = await backupOf(move);
    if (begun !== undefined) return earlier(move, file ?? begun);
    const at = move.clock();
    const path = resolve(file ?? fileName(move.cluster, at));
    const counts = await writeBackup(path, { cluster: move.cluster, at: at.toISOString() }, everything(move, tell));
    await move.client.patch(markedKey, { metadata: { annotations: { [backupAnnotation]: path } } });
    return `${path} holds ${counts.shown}, as was read back`;
  },
});
