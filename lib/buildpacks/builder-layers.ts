/** The three layers kpack itself adds to a builder (spec 04 §8.3, §8.5), and what image extensions need: same input, same bytes, on any machine and at any time. */

import { orderToml, type ResolvedGroup, runToml, stackToml } from './toml.ts';
import { tarOf } from './ustar.ts';

/** Tar with the directories a build needs; `/workspace` and `/layers` belong to the stack's user. That of extensions only where there are any. */
export const directoriesTar = ({
  userId,
  groupId,
  hasExtensions = false,
}: {
  readonly userId: number;
  readonly groupId: number;
  readonly hasExtensions?: boolean;
}): Uint8Array => {
  const owner = { uid: userId, gid: groupId };
  return tarOf([
    { path: '/workspace', ...owner },
    { path: '/layers', ...owner },
    { path: '/cnb' },
    { path: '/cnb/buildpacks' },
    ...(hasExtensions ? [{ path: '/cnb/extensions' }] : []),
    { path: '/platform' },
    { path: '/platform/env' },
  ]);
};

const fileTar = (path: string, content: string): Uint8Array =>
  tarOf([{ path, content: new TextEncoder().encode(content) }]);

/** Tar with `/cnb/stack.toml`. */
export const stackTar = (runImage: string): Uint8Array => fileTar('/cnb/stack.toml', stackToml(runImage));

/** Tar with `/cnb/run.toml`, in builders with image extensions alone. */
export const runTar = (runImage: string): Uint8Array => fileTar('/cnb/run.toml', runToml(runImage));

/** Tar with `/cnb/order.toml`. */
export const orderTar = (order: readonly ResolvedGroup[], extensions: readonly ResolvedGroup[] = []): Uint8Array =>
  fileTar('/cnb/order.toml', orderToml(order, extensions));
