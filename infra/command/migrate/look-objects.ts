/** What a move means for the objects of a cluster: Builds that run, Images that would be built, grants that are missing, fields that would go. Only reads. */
import type { RoleBinding } from 'kubernetes-types/rbac/v1.d.ts';
import type { Build } from '../../../lib/api/build.ts';
import type { StoredImage } from '../../../lib/api/defaults.ts';
import { type Kind, kindNames } from '../../../lib/api/kinds.ts';
import type { SourceResolver } from '../../../lib/api/source-resolver.ts';
import type { ImageBuilder } from '../../../lib/images/image-builder.ts';
import { type KubeObject, keyOf, showKey } from '../../../lib/kube/object.ts';
import { tenantRole, ungranted, workingNamespaces } from '../../../lib/migration/grants.ts';
import { unknownFields } from '../../../lib/migration/unknown-fields.ts';
import { type AfterMove, afterMove } from '../../../lib/migration/would-build.ts';
import { definitionOf } from '../../crds/definition.ts';
import { type Checked, unknown, well, wrong } from '../findings.ts';
import type { Tell } from '../output.ts';
import { liveDefinitions } from './definitions.ts';
import type { Move } from './move.ts';
import { pagesOf } from './pages.ts';

/** Every object of kpack.io. */
export type AllObjects = ReadonlyMap<Kind, readonly KubeObject[]>;

/** Reads them. @throws KubeError, ExpectedError */
export const allObjects = async ({ client, transport }: Move, tell: Tell): Promise<AllObjects> => {
  const found = new Map<Kind, KubeObject[]>(kindNames.map((kind) => [kind, []]));
  let read = 0;
  for (const kind of (await liveDefinitions(client)).keys())
    for await (const page of pagesOf(transport, kind)) {
      found.get(kind)?.push(...page);
      read += page.length;
      tell(`${read} objects`);
    }
  return found;
};

const of = (objects: AllObjects, ...wanted: readonly Kind[]): readonly KubeObject[] =>
  wanted.flatMap((kind) => objects.get(kind) ?? []);

/** So many are spelt out; the answer in JSON has a line for each. */
const mostSaid = 50;

/** What becomes of each Image. */
export const imagesAfterMove = (objects: AllObjects, now: Date): readonly AfterMove[] =>
  afterMove(
    {
      images: of(objects, 'Image') as readonly StoredImage[],
      builds: of(objects, 'Build') as readonly Build[],
      resolvers: of(objects, 'SourceResolver') as readonly SourceResolver[],
      builders: of(objects, 'Builder', 'ClusterBuilder') as readonly ImageBuilder[],
    },
    now,
  );

const putOff = 'if not now, annotate it with image.kpack.io/paused=true before and take that away later';

/** Builds that run, and what the first pass of each Image comes to. */
export const builds = (objects: AllObjects, now: Date): readonly Checked[] => {
  const all = imagesAfterMove(objects, now);
  const of = (what: AfterMove['comes']): readonly AfterMove[] => all.filter(({ comes }) => comes === what);
  const [running, built, left] = [of('running'), of('build'), of('left')];
  return [
    well(
      'running Builds',
      running.length === 0
        ? 'there are none'
        : `${running.length}: migrate run lists their pods, and kpackless goes on with them`,
    ),
    ...left
      .slice(0, mostSaid)
      .map(({ image, why }) =>
        well(image, `${why}: nor does kpackless until the builder changes again; image.kpack.io/retry asks for it`),
      ),
    ...built.slice(0, mostSaid).map(({ image, why }) => wrong(image, `would be built after the move: ${why}`, putOff)),
    ...(Math.max(built.length, left.length) > mostSaid
      ? [
          unknown(
            'builds after the move',
            `${built.length} Images would be built and ${left.length} are left; not all are named here`,
          ),
        ]
      : []),
    ...(built.length === 0 ? [well('builds after the move', `none: ${all.length} Images stay as they are`)] : []),
  ];
};

type Binding = RoleBinding & KubeObject;

const bindings = async ({ client }: Move) => ({
  everywhere: await client.list<Binding>('ClusterRoleBinding'),
  inNamespaces: await client.list<Binding>('RoleBinding'),
});

/** Namespaces that work and grant nothing. @throws KubeError */
export const grants = async (
  move: Move,
  objects: AllObjects,
  tenantEverywhere: boolean,
): Promise<readonly Checked[]> => {
  if (tenantEverywhere)
    return [well('grants', 'migrate run --tenant-everywhere grants them in every namespace, as kpack has it')];
  const namespaces = workingNamespaces([...objects.values()].flat());
  const missing = ungranted(namespaces, await bindings(move));
  if (missing.length === 0)
    return [well('grants', `all ${namespaces.length} namespaces with objects grant ${tenantRole}`)];
  return missing.map((namespace) =>
    wrong(
      `grants in ${namespace}`,
      'kpackless may not read its Secrets nor make its pods',
      `kubectl -n ${namespace} create rolebinding ${tenantRole} --clusterrole ${tenantRole} --group kpackless --serviceaccount kpack:kpackless, or migrate run --tenant-everywhere`,
    ),
  );
};

/** Fields that our definitions do not know. kpack's admission lets none through, but v1alpha1 has no admission (spec 01 §2). */
export const fields = (objects: AllObjects): readonly Checked[] => {
  const found: Checked[] = [];
  for (const [kind, all] of objects) {
    const schema = definitionOf(kind).spec.versions[0]?.schema?.openAPIV3Schema ?? {};
    for (const object of all) {
      const names = unknownFields(object, schema as Parameters<typeof unknownFields>[1]);
      if (names.length === 0) continue;
      found.push(
        wrong(
          showKey(keyOf(object)),
          `has fields that no version of kpack.io knows, and that would go: ${names.slice(0, mostSaid).join(', ')}`,
          'the backup of migrate run keeps them; correct the object where it comes from',
        ),
      );
    }
  }
  return found.length === 0
    ? [well('fields', 'every object has known fields alone: none is lost')]
    : found.slice(0, mostSaid);
};
