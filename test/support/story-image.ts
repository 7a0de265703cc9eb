/** The smallest reconciler that does all that one may: an edge, a read over it, a child with a deterministic name, a status. */
import type { Build } from '../../lib/api/build.ts';
import { isKubeError } from '../../lib/kube/errors.ts';
import { controllerReference, isControlledBy, type KubeObject } from '../../lib/kube/object.ts';
import { again, settled } from '../../lib/reconcile/outcome.ts';
import type { Reconciler } from '../../lib/reconcile/reconciler.ts';
import { type FakeKube } from './fake-kube.ts';

type Shown = KubeObject & {
  readonly spec?: { readonly builder: string; readonly wish?: 'throw' | 'again' };
  readonly status?: { readonly seen?: string; readonly failure?: string };
};

/** What a test makes happen in the middle of a pass, once. */
export interface Interference {
  /** Runs after the edges were written and before the builder is read. */
  beforeRead?: (() => Promise<void>) | undefined;
}

/** Builds once for each content of its builder, and says in its status which content it saw last. */
export const storyReconciler = (meanwhile: Interference = {}): Reconciler<Shown> => ({
  kind: 'Image',
  reconcile: async (image, pass) => {
    const { namespace = '', name = '' } = image.metadata ?? {};
    const builderName = image.spec?.builder ?? '';
    await pass.dependOn([{ kind: 'Builder', namespace, name: builderName }]);
    const happen = meanwhile.beforeRead;
    meanwhile.beforeRead = undefined;
    await happen?.();
    if (image.spec?.wish === 'throw') throw new TypeError('a bug');
    if (image.spec?.wish === 'again') return again(0, 'the test wants it');
    const builder = await pass.kube.get<KubeObject & { readonly spec: { readonly content: string } }>({
      kind: 'Builder',
      namespace,
      name: builderName,
    });
    const seen = builder?.spec.content ?? 'none';
    const child: KubeObject = {
      apiVersion: 'kpack.io/v1alpha2',
      kind: 'Build',
      metadata: { namespace, name: `${name}-${seen}`, ownerReferences: [controllerReference(image)] },
    };
    try {
      await pass.kube.create(child);
    } catch (error) {
      if (!isKubeError(error, 'already-exists')) throw error;
      const found = await pass.kube.get<KubeObject>({ kind: 'Build', namespace, name: `${name}-${seen}` });
      if (found === undefined || !isControlledBy(found, image)) throw error;
    }
    await pass.writeStatus(image, { seen });
    return settled;
  },
  statusOnFailure: (image, failure) => ({ ...image.status, failure: failure.message }),
});

/** An Image of the story as somebody applies it. */
export const applyImage = (kube: FakeKube, name: string, spec: NonNullable<Shown['spec']>): Shown => {
  const found = kube.find('Image', name);
  if (found === undefined)
    return kube.put<Shown>({
      apiVersion: 'kpack.io/v1alpha2',
      kind: 'Image',
      metadata: { namespace: 'team', name },
      spec,
    });
  const edited: KubeObject = kube.edit('Image', name, (image) => Object.assign({}, image, { spec }));
  return edited;
};

/** A Builder of the story, as it is or changed. */
export const applyBuilder = (kube: FakeKube, name: string, content: string): KubeObject => {
  const spec = { content };
  if (kube.find('Builder', name) === undefined)
    return kube.put<KubeObject & { readonly spec: object }>({
      apiVersion: 'kpack.io/v1alpha2',
      kind: 'Builder',
      metadata: { namespace: 'team', name },
      spec,
    });
  return kube.edit('Builder', name, (builder) => Object.assign({}, builder, { spec }));
};

/** Names of the Builds there are. */
export const builds = (kube: FakeKube): readonly string[] =>
  kube.all('Build').map(({ metadata }: Build) => metadata.name);

/** What the Image says of itself. */
export const statusOf = (kube: FakeKube, name: string): Shown['status'] =>
  (kube.find('Image', name) as KubeObject as Shown).status;

/** The Image as it is. */
export const imageOf = (kube: FakeKube, name: string): KubeObject => {
  const found = kube.find('Image', name);
  if (found === undefined) throw new Error(`Image ${name} is gone`);
  return found;
};
