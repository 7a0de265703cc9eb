/** Objects that lie in the store as v1alpha1 are written again, so that the API server keeps none of that version any more (Kubernetes, "Versions in CustomResourceDefinitions"). */
import type { Kind } from '../../../lib/api/kinds.ts';
import { VERSION } from '../../../lib/api/resource.ts';
import { ExpectedError } from '../../../lib/errors/expected.ts';
import type { KubeClient } from '../../../lib/kube/client.ts';
import { isKubeError } from '../../../lib/kube/errors.ts';
import { type KubeObject, keyOf, showKey } from '../../../lib/kube/object.ts';
import { holdsOlder, type LiveDefinition } from '../../../lib/migration/definitions.ts';
import type { Tell } from '../output.ts';
import { definitionKey, liveDefinitions } from './definitions.ts';
import type { Move } from './move.ts';
import { pagesOf } from './pages.ts';
import type { MoveStep } from './steps.ts';

/** Somebody who writes an object each second is outrun by then. */
const mostTries = 10;
const atOnce = 8;

/** Does `write` with the object as it now is, again while others write it too. Gone is fine. @throws KubeError, ExpectedError */
const written = async <T extends KubeObject>(
  client: KubeClient,
  first: T,
  write: (object: T) => Promise<unknown>,
): Promise<void> => {
  const key = keyOf(first);
  let object: T | undefined = first;
  for (let tries = 0; object !== undefined; tries += 1)
    try {
      await write(object);
      return;
    } catch (error) {
      if (!isKubeError(error, 'conflict') && !isKubeError(error, 'not-found')) throw error;
      if (tries >= mostTries)
        throw new ExpectedError(`${showKey(key)} was changed by others ${mostTries} times meanwhile`, { cause: error });
      object = await client.get<T>(key);
    }
};

const inTurn = async <T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> => {
  for (let from = 0; from < all.length; from += atOnce) await Promise.all(all.slice(from, from + atOnce).map(work));
};

/** A write that changes nothing is done by the API server only where the object lies in another version. */
const rewriteKind = async ({ client, transport }: Move, kind: Kind, tell: Tell): Promise<number> => {
  let count = 0;
  for await (const page of pagesOf(transport, kind)) {
    await inTurn(page, (object) => written(client, object, (now) => client.replace(now)));
    count += page.length;
    tell(`${count} ${kind}s`);
  }
  const definition = await client.get<LiveDefinition>(definitionKey(kind));
  if (definition !== undefined)
    await written(client, definition, (now) =>
      client.replaceStatus({ ...now, status: { ...now.status, storedVersions: [VERSION] } }),
    );
  return count;
};

const withOlder = `kubectl get crd -o jsonpath='{range .items[?(@.spec.group=="kpack.io")]}{.metadata.name}{" "}{.status.storedVersions}{"\\n"}{end}' | grep v1alpha1 | cut -d" " -f1`;

const byHand: readonly string[] = [
  `for crd in $(${withOlder}); do`,
  '  test -z "$(kubectl get $crd -A -o name)" || kubectl get $crd -A -o json | kubectl replace -f -',
  `  kubectl patch crd $crd --subresource status --type merge -p '{"status":{"storedVersions":["${VERSION}"]}}'`,
  'done',
];

/** The step. */
export const rewriteOlder: MoveStep = {
  what: 'objects stored as v1alpha1 are written again',
  byHand: ['# each definition whose status.storedVersions has v1alpha1', ...byHand],
  take: async (move, tell) => {
    const said: string[] = [];
    for (const [kind, definition] of await liveDefinitions(move.client))
      if (holdsOlder(definition)) said.push(`${await rewriteKind(move, kind, tell)} ${kind}s`);
    return said.length === 0
      ? 'none is stored as v1alpha1'
      : `${said.join(', ')} written again; storedVersions are v1alpha2 alone`;
  },
};
