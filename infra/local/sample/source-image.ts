/** Source as an image: one layer with the files at its root (spec 03 §10.4). */
import { makeImage } from '../images/image.ts';
import { makeLayer } from '../images/layer.ts';
import { pushImage } from '../images/push.ts';
import type { Files } from './source.ts';

/** Pushes `files` as `<registry>/sample/source:1`; gives that reference. */
export const pushSourceImage = async (registry: string, files: Files, name = 'sample/source:1'): Promise<string> => {
  const layer = await makeLayer(Object.entries(files).map(([path, content]) => ({ path, content })));
  await pushImage(registry, makeImage(name, [layer], {}));
  return `${registry}/${name}`;
};
