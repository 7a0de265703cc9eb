import { busyboxEntries } from './busybox.ts';
import { imageArchitecture, type LocalImage, makeImage } from './image.ts';
import { folder, type LayerEntry, makeLayer } from './layer.ts';

/** The stack of the sample images. */
export const SAMPLE_STACK_ID = 'dev.kpackless.sample';
/** User and group that buildpacks and apps run as. */
export const CNB_USER = 1000;

export interface StackImageOptions {
  /** Repository and tag, as `run:1`. */
  readonly name: string;
  readonly stackId?: string;
  /** Text of `/etc/kpackless-release`: another text is another image, as a patched operating system is. */
  readonly release?: string;
}

const owned = { uid: CNB_USER, gid: CNB_USER };

/** What both images of the stack are made of. */
const baseEntries = (release: string): readonly LayerEntry[] => [
  ...busyboxEntries(),
  folder('etc'),
  { path: 'etc/group', content: `root:x:0:\ncnb:x:${CNB_USER}:\n` },
  { path: 'etc/kpackless-release', content: `${release}\n` },
  { path: 'etc/os-release', content: 'ID=kpackless\nNAME="kpackless sample"\nVERSION_ID="1"\n' },
  {
    path: 'etc/passwd',
    content: `root:x:0:0:root:/root:/bin/sh\ncnb:x:${CNB_USER}:${CNB_USER}:cnb:/home/cnb:/bin/sh\n`,
  },
  folder('home'),
  folder('home/cnb', owned),
  folder('layers', owned),
  folder('root', { mode: 0o700 }),
  folder('tmp', { mode: 0o1777 }),
  folder('workspace', owned),
];

/** The image that buildpacks run in. */
export const buildImage = async ({
  name,
  stackId = SAMPLE_STACK_ID,
  release = '1',
}: StackImageOptions): Promise<LocalImage> =>
  makeImage(name, [await makeLayer(baseEntries(release))], {
    labels: stackLabels(stackId),
    env: [`CNB_USER_ID=${CNB_USER}`, `CNB_GROUP_ID=${CNB_USER}`, `CNB_STACK_ID=${stackId}`],
    user: `${CNB_USER}:${CNB_USER}`,
  });

/** The image that apps run on; its release file alone differs between two releases, in a layer of its own on top. */
export const runImage = async ({
  name,
  stackId = SAMPLE_STACK_ID,
  release = '1',
}: StackImageOptions): Promise<LocalImage> => {
  const base = await makeLayer(baseEntries('base'));
  const patch = await makeLayer([folder('etc'), { path: 'etc/kpackless-release', content: `${release}\n` }]);
  return makeImage(name, [base, patch], { labels: stackLabels(stackId), user: `${CNB_USER}:${CNB_USER}` });
};

const stackLabels = (stackId: string): Readonly<Record<string, string>> => ({
  'io.buildpacks.stack.id': stackId,
  'io.buildpacks.base.distro.name': 'kpackless',
  'io.buildpacks.base.distro.version': '1',
  'io.buildpacks.base.arch': imageArchitecture(),
});
