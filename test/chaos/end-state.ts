/** What a run has come to: what users can see of each Image, without what depends on when things happened. */
import type { Build } from '../../lib/api/build.ts';
import type { Condition } from '../../lib/api/condition.ts';
import { buildNumberLabel, imageLabel } from '../../lib/api/labels.ts';
import { isFailure } from '../../lib/images/builds-of-image.ts';
import type { Stored } from './cluster/store.ts';
import type { World } from './world.ts';

/** One line an object, by its name. */
export type EndState = ReadonlyMap<string, string>;

const conditionsOf = ({ status }: Stored): readonly Condition[] =>
  ((status ?? {}) as { readonly conditions?: readonly Condition[] }).conditions ?? [];

const shownConditions = (object: Stored): string =>
  conditionsOf(object)
    .map(({ type, status, reason = '' }) => `${type}=${status}${reason === '' ? '' : `/${reason}`}`)
    .toSorted()
    .join(' ');

/** Layers behind a tag, as the image's config names them. */
const layersOf = ({ registry }: World, repository: string): string => {
  const found = registry.store.repositories.get(repository);
  const manifest = found?.manifests.get(found.tags.get('latest') ?? '');
  if (found === undefined || manifest === undefined) return 'nothing';
  const { config } = JSON.parse(String(manifest.bytes)) as { readonly config: { readonly digest: string } };
  const { rootfs } = JSON.parse(String(found.blobs.get(config.digest))) as {
    readonly rootfs: { readonly diff_ids: readonly string[] };
  };
  return rootfs.diff_ids.map((id) => id.slice('sha256:'.length, 19)).join('+');
};

const lastBuild = ({ store }: World, { metadata }: Stored): (Stored & Build) | undefined =>
  (store.all('Build') as readonly (Stored & Build)[])
    .filter(
      (build) =>
        build.metadata.namespace === metadata.namespace &&
        build.metadata.labels?.[imageLabel] === metadata.name &&
        build.metadata.ownerReferences?.[0]?.uid === metadata.uid,
    )
    .toSorted((a, b) => Number(a.metadata.labels?.[buildNumberLabel]) - Number(b.metadata.labels?.[buildNumberLabel]))
    .at(-1);

const shownImage = (world: World, image: Stored): string => {
  const build = lastBuild(world, image);
  const { metadata, status } = image;
  const observed = (status as { readonly observedGeneration?: number } | undefined)?.observedGeneration;
  const edition = build?.spec.env?.[0]?.value ?? '';
  const commit = world.git.numberOf(build?.spec.source.git?.revision ?? '');
  return [
    shownConditions(image),
    observed === metadata.generation ? 'observed' : 'not observed',
    build === undefined
      ? 'no Build'
      : `commit ${commit} edition ${edition} builder ${build.spec.builder.image?.slice(-12) ?? ''}`,
    build === undefined ? '' : shownConditions(build),
    // What a failed Build has left there is an older one's, and which was the last that succeeded is a matter of chance.
    build === undefined || isFailure(build) ? '' : layersOf(world, `${metadata.namespace}/${metadata.name}`),
  ].join(' | ');
};

/** The state now. */
export const endState = (world: World): EndState => {
  const state = new Map<string, string>();
  for (const image of world.store.all('Image'))
    state.set(`Image ${image.metadata.namespace}/${image.metadata.name}`, shownImage(world, image));
  for (const kind of ['Builder', 'ClusterBuilder', 'ClusterStack', 'ClusterStore'])
    for (const object of world.store.all(kind)) {
      const { latestImage = '' } = (object.status ?? {}) as { readonly latestImage?: string };
      const { namespace = '', name } = object.metadata;
      state.set(`${kind} ${namespace}/${name}`, `${shownConditions(object)} | ${latestImage.slice(-12)}`);
    }
  return state;
};

/** Where two states differ, as sentences. */
export const differences = (wanted: EndState, found: EndState): readonly string[] =>
  [...new Set([...wanted.keys(), ...found.keys()])].toSorted().flatMap((name) => {
    const [a, b] = [wanted.get(name) ?? 'nothing', found.get(name) ?? 'nothing'];
    return a === b ? [] : [`${name} is [${b}] and not [${a}]`];
  });
