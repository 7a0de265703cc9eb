/** The three layers kpack itself adds to a builder (spec 04 §8.3, §8.5): same input, same bytes, on any machine and at any time. */

import { orderToml, type ResolvedGroup, stackToml } from './toml.ts';
import { tarOf } from './ustar.ts';

/** Tar with the directories a build needs; `/workspace` and `/layers` belong to the stack's user. */
export const directoriesTar = ({
  userId,
  groupId,
}: {
  readonly userId: number;
  readonly groupId: number;
}): Uint8Array => {
  const owner = { uid: userId, gid: groupId };
  return tarOf([
    { path: '/workspace', ...owner },
    { path: '/layers', ...owner },
    { path: '/cnb' },
    { path: '/cnb/buildpacks' },
    { path: '/platform' },
    { path: '/platform/env' },
  ]);
};

const fileTar = (path: string, content: string): Uint8Array =>
  tarOf([{ path, content: new TextEncoder().encode(content) }]);

/** Tar with `/cnb/stack.toml`. */
export const stackTar = (runImage: string): Uint8Array => fileTar('/cnb/stack.toml', stackToml(runImage));

/** Tar with `/cnb/order.toml`. */
export const orderTar = (order: readonly ResolvedGroup[]): Uint8Array => fileTar('/cnb/order.toml', orderToml(order));
