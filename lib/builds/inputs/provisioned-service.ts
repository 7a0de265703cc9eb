/** Objects of any kind that offer a Secret in `status.binding.name` (spec 01 §8.3, spec 03 §1.2). */
import * as v from 'valibot';
import type { KubeClient } from '../../kube/client.ts';
import { Waiting } from '../waiting.ts';

interface ServiceReference {
  readonly apiVersion?: string | undefined;
  readonly kind: string;
  readonly name: string;
}

const schema = v.object({ status: v.object({ binding: v.object({ name: v.string() }) }) });

/** Where objects of `kind` are served: kpack's guess of the plural. */
export const guessedPlural = (kind: string): string => {
  const lower = kind.toLowerCase();
  if (lower.endsWith('endpoints')) return lower;
  if (lower.endsWith('s')) return `${lower}es`;
  return lower.endsWith('y') ? `${lower.slice(0, -1)}ies` : `${lower}s`;
};

/**
 * The Secret that the service offers; undefined while it offers none, and then the binding contributes nothing. Throws Waiting
 * when there is no such object.
 */
export const provisionedSecret = async (
  { apiVersion, kind, name }: ServiceReference,
  namespace: string,
  kube: KubeClient,
): Promise<string | undefined> => {
  const plural = guessedPlural(kind);
  const found = await kube.getForeign(apiVersion || 'v1', plural, namespace, name);
  if (found === undefined)
    throw new Waiting('MissingService', `${plural} "${name}" not found in namespace ${namespace} (spec.services)`);
  const parsed = v.safeParse(schema, found);
  return parsed.success ? parsed.output.status.binding.name : undefined;
};
