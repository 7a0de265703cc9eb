/** What users do in a run: the same for every run of a seed. Each action sets what is wanted; after a restore what is wanted is applied again. */
import type { KubeObject } from '../../lib/kube/object.ts';
import { pathOf, type Stored } from './cluster/store.ts';
import type { Dice } from './dice.ts';
import { gitHost } from './git-host.ts';
import { registryHost } from './registry.ts';
import type { World } from './world.ts';

/** Namespaces are few and share stores and stacks. */
const namespaces = ['team-a', 'team-b', 'team-c'] as const;

export const actions = [
  'commit',
  'bad commit',
  'edit',
  'rename branch',
  'make again',
  'make again later',
  'delete',
  'new stack',
  'new buildpack',
] as const;
export type ActionKind = (typeof actions)[number];

/** One thing that somebody does. */
export interface Action {
  /** Milliseconds since the run began. */
  readonly at: number;
  readonly kind: ActionKind;
  readonly image: number;
}

const weights: Readonly<Record<ActionKind, number>> = {
  commit: 8,
  'bad commit': 2,
  edit: 6,
  'rename branch': 2,
  'make again': 1,
  'make again later': 1,
  delete: 1,
  'new stack': 2,
  'new buildpack': 1,
};
const weighted = actions.flatMap((kind) => Array.from({ length: weights[kind] }, () => kind));

const firstActionMs = 40_000;
const betweenMs = [3000, 30_000] as const;

/** So many actions on so many Images, in the order of their times. */
export const actionsOf = (dice: Dice, images: number, count: number): readonly Action[] => {
  let at = firstActionMs;
  return Array.from({ length: count }, (_, index) => {
    at += Math.floor(dice.between(`action ${index} at`, ...betweenMs));
    const image = Math.floor(dice.between(`action ${index} image`, 0, images));
    return { at, kind: dice.oneOf(`action ${index}`, weighted), image };
  });
};

const apiVersion = 'kpack.io/v1alpha2';
const at = (image: string) => ({ image: `${registryHost}/${image}` });

/** What one Image is to be. */
interface ImageState {
  readonly name: string;
  readonly namespace: string;
  readonly repository: string;
  branch: string;
  edition: number;
  isWanted: boolean;
}

/** Does the actions in a world. */
export class Users {
  readonly #world: World;
  readonly #images: ImageState[];
  readonly #commits = new Map<string, number>();
  #stack = 1;
  #buildpack = 1;
  /** Changes of what one Image is built from, by its path: as many Builds may it have, and one. */
  readonly changes = new Map<string, number>();

  constructor(world: World, images: number) {
    this.#world = world;
    this.#images = Array.from({ length: images }, (_, index) => ({
      name: `app-${index}`,
      namespace: namespaces[index % namespaces.length] ?? '',
      // Two Images of a namespace now and then follow one repository.
      repository: `repo-${index % 4 === 3 ? index - 3 : index}`,
      branch: 'main',
      edition: 1,
      isWanted: true,
    }));
  }

  /** Everything that is there from the beginning. */
  begin(): void {
    const { registry, store } = this.#world;
    registry.pushStack(1);
    registry.pushLifecycle();
    registry.pushBuildpack(1);
    store.add({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system' } });
    for (const { repository, branch } of this.#images) this.#commit(repository, branch, true);
    for (const object of this.#wanted()) this.#apply(object);
  }

  /** What is wanted now, applied over what is there; what is not wanted is deleted. */
  applyAll(): void {
    const { store } = this.#world;
    const wanted = this.#wanted();
    const paths = new Set(wanted.map(pathOf));
    for (const image of store.all('Image')) if (!paths.has(pathOf(image))) store.delete(image);
    for (const object of wanted) this.#apply(object);
  }

  /** Images that there should be. */
  wantedImages(): readonly { readonly namespace: string; readonly name: string }[] {
    return this.#images.filter(({ isWanted }) => isWanted);
  }

  do({ kind, image: index }: Action): void {
    const { calls } = this.#world;
    const image = this.#images[index];
    if (image === undefined) return;
    const shown = `${image.namespace}/${image.name}`;
    calls.note(`user: ${kind}`, kind.startsWith('new') ? undefined : shown);
    switch (kind) {
      case 'commit':
        this.#commit(image.repository, image.branch, true);
        break;
      case 'bad commit':
        this.#commit(image.repository, image.branch, false);
        break;
      case 'edit':
        image.edition += 1;
        this.#changed(image);
        this.#applyImage(image);
        break;
      case 'rename branch': {
        const next = `${image.branch.replace(/\d*$/, '')}${image.edition + 1000}`;
        image.edition += 1;
        this.#world.git.rename(image.repository, image.branch, next);
        for (const other of this.#images)
          if (other.repository === image.repository) {
            other.branch = next;
            this.#changed(other);
            this.#applyImage(other);
          }
        break;
      }
      case 'make again':
      case 'make again later': {
        this.#remove(image);
        const milliseconds = kind === 'make again' ? 50 : 45_000;
        this.#world.time.in(milliseconds, () => this.#applyImage(image), undefined);
        break;
      }
      case 'delete':
        // The first stays: something has to be there in the end.
        if (index === 0) break;
        image.isWanted = false;
        this.#remove(image);
        break;
      case 'new stack':
        this.#stack += 1;
        this.#world.registry.pushStack(this.#stack);
        for (const each of this.#images) this.#changed(each);
        this.#apply(this.#stackObject());
        break;
      case 'new buildpack':
        this.#buildpack += 1;
        this.#world.registry.pushBuildpack(this.#buildpack);
        for (const each of this.#images) this.#changed(each);
        this.#apply(this.#storeObject());
        break;
    }
  }

  #changed({ namespace, name }: ImageState): void {
    const key = `${namespace}/${name}`;
    this.changes.set(key, (this.changes.get(key) ?? 0) + 1);
  }

  #commit(repository: string, branch: string, isGood: boolean): void {
    const number = (this.#commits.get(repository) ?? 0) + 1;
    this.#commits.set(repository, number);
    this.#world.git.commit(repository, branch, number, isGood);
    for (const image of this.#images) if (image.repository === repository) this.#changed(image);
  }

  #remove(image: ImageState): void {
    const { store } = this.#world;
    const found = store.find(pathOf(this.#imageObject(image)));
    if (found !== undefined) store.delete(found);
  }

  #applyImage(image: ImageState): void {
    if (image.isWanted) this.#apply(this.#imageObject(image));
  }

  #apply(object: KubeObject): void {
    const { store } = this.#world;
    const found = store.find(pathOf(object));
    if (found === undefined) store.add(object);
    else store.change(found, { ...found, ...object, metadata: found.metadata } as Stored);
  }

  #wanted(): readonly KubeObject[] {
    const lifecycle = {
      apiVersion,
      kind: 'ClusterLifecycle',
      metadata: { name: 'default-lifecycle' },
      spec: at('lifecycle:1'),
    };
    return [
      ...namespaces.map((namespace) => ({
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: 'default', namespace },
      })),
      lifecycle,
      this.#stackObject(),
      this.#storeObject(),
      this.#builderObject('ClusterBuilder', ''),
      ...namespaces.map((namespace) => this.#builderObject('Builder', namespace)),
      ...this.#images.filter(({ isWanted }) => isWanted).map((image) => this.#imageObject(image)),
    ];
  }

  #stackObject(): KubeObject {
    const spec = { id: 's', buildImage: at(`stack/build:${this.#stack}`), runImage: at(`stack/run:${this.#stack}`) };
    return { apiVersion, kind: 'ClusterStack', metadata: { name: 'stack' }, spec } as KubeObject;
  }

  #storeObject(): KubeObject {
    const spec = { sources: [at(`bp/a:${this.#buildpack}`)] };
    return { apiVersion, kind: 'ClusterStore', metadata: { name: 'store' }, spec } as KubeObject;
  }

  #builderObject(kind: string, namespace: string): KubeObject {
    const spec = {
      tag: `${registryHost}/builders/${namespace === '' ? 'shared' : namespace}`,
      stack: { kind: 'ClusterStack', name: 'stack' },
      store: { kind: 'ClusterStore', name: 'store' },
      order: [{ group: [{ id: 'a' }] }],
      ...(kind === 'Builder'
        ? { serviceAccountName: 'default' }
        : { serviceAccountRef: { namespace: 'team-a', name: 'default' } }),
    };
    const metadata = { name: namespace === '' ? 'shared' : 'own', ...(namespace === '' ? {} : { namespace }) };
    return { apiVersion, kind, metadata, spec } as KubeObject;
  }

  #imageObject({ name, namespace, repository, branch, edition }: ImageState): KubeObject {
    const number = Number(name.slice('app-'.length));
    const spec = {
      tag: `${registryHost}/${namespace}/${name}`,
      builder: number % 2 === 0 ? { kind: 'ClusterBuilder', name: 'shared' } : { kind: 'Builder', name: 'own' },
      serviceAccountName: 'default',
      source: { git: { url: `https://${gitHost}/${repository}`, revision: branch } },
      build: { env: [{ name: 'EDITION', value: String(edition) }] },
      ...(number % 3 === 0 ? { cache: { volume: { size: '1Gi' } } } : {}),
    };
    return { apiVersion, kind: 'Image', metadata: { name, namespace }, spec } as KubeObject;
  }
}
