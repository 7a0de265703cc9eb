import { readFileSync } from 'node:fs';

import { type LocalImage, makeImage } from './image.ts';
import { executable, folder, makeLayer } from './layer.ts';

/** What holds a pod's namespaces: a program that sleeps for ever. */
export const pauseImage = async (name: string): Promise<LocalImage> => {
  const layer = await makeLayer([folder('bin'), executable('bin/busybox', readFileSync('/bin/busybox'))]);
  return makeImage(name, [layer], { entrypoint: ['/bin/busybox', 'sleep', 'inf'], user: '65535:65535' });
};
