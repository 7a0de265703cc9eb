/** Recorded objects as a cluster would hold them together: one of each name, owners before what they own. */
import type { KubeClient } from '../../lib/kube/client.ts';
import { type KubeObject, keyOf, showKey } from '../../lib/kube/object.ts';
import { golden, goldenFiles } from './golden.ts';
import { type GoldenObject, objectsIn } from './golden-objects.ts';

const first = (kind: string): number => (kind === 'Image' ? 0 : 1);

/** Every object of those recordings; of several with one name the last that has a status. */
export const recorded = (...files: readonly string[]): readonly GoldenObject[] => {
  const byName = new Map<string, GoldenObject>();
  for (const object of files.flatMap((file) => objectsIn(golden(file)))) {
    const name = showKey(keyOf(object));
    if (object.status !== undefined || !byName.has(name)) byName.set(name, object);
  }
  return [...byName.values()].toSorted((a, b) => first(a.kind) - first(b.kind));
};

/** Another cluster's objects, with names of their own for what is not in a namespace. */
const renamed = (object: GoldenObject, suffix: string): GoldenObject => {
  const { metadata, spec } = object;
  if (metadata['namespace'] === undefined)
    return { ...object, metadata: { ...metadata, name: `${String(metadata['name'])}${suffix}` } };
  const builder = spec['builder'] as { readonly kind?: string; readonly name?: string } | undefined;
  if (object.kind !== 'Image' || builder?.kind !== 'ClusterBuilder') return object;
  return { ...object, spec: { ...spec, builder: { ...builder, name: `${builder.name ?? ''}${suffix}` } } };
};

/** The objects of `test/recordings/default` with its world, and of the end of `test/recordings/flow`, which was another cluster. */
export const recordedWorld = (): readonly GoldenObject[] => [
  ...recorded('default/_world.json', ...goldenFiles('default').map((file) => `default/${file}`)),
  ...recorded('flow/8-build-image-changed-after-failure.json').map((object) => renamed(object, '-flow')),
];

type Owned = KubeObject & { readonly status?: { readonly observedGeneration?: number } };

/** Makes it with its status, which is of this generation if it was of its own; owners are those that are there. @throws KubeError */
export const putRecorded = async (kube: KubeClient, recording: GoldenObject): Promise<void> => {
  const object = recording as Owned;
  const { name = '', namespace, labels, annotations, ownerReferences = [], generation } = object.metadata ?? {};
  const owners = await Promise.all(
    ownerReferences.map(async (owner) => {
      const found = await kube.get({ kind: owner.kind, namespace: namespace ?? '', name: owner.name });
      return { ...owner, uid: found?.metadata?.uid ?? '00000000-0000-4000-8000-000000000000' };
    }),
  );
  const made = await kube.create<Owned>({
    ...object,
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      ...(labels !== undefined && { labels }),
      ...(annotations !== undefined && { annotations }),
      ...(owners.length > 0 && { ownerReferences: owners }),
    },
  });
  if (object.status === undefined) return;
  const isCurrent = object.status.observedGeneration === generation;
  await kube.replaceStatus<Owned>({
    ...made,
    status: { ...object.status, ...(isCurrent && { observedGeneration: made.metadata?.generation ?? 1 }) },
  });
};
