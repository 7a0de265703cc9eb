/** May this app image be put on that run image? The lifecycle's rules at Platform API 0.9, without force (spec 03 §13.2). Pure. */

import { parseJson } from '../text/bounded-json.ts';
import { UnsafeRebaseError } from './base-length.ts';
import type { OciImage } from './image.ts';
import { labelBounds } from './label-bounds.ts';

const stackIdLabel = 'io.buildpacks.stack.id';
const mixinsLabel = 'io.buildpacks.stack.mixins';
const rebasableLabel = 'io.buildpacks.rebasable';
const distroLabels = ['io.buildpacks.base.distro.name', 'io.buildpacks.base.distro.version'] as const;

/** The Platform API an image was built with, from its env: minor version of 0.x; 0 when it says none. */
const platformApiOf = ({ env }: OciImage): readonly [major: number, minor: number] => {
  const stated = env.find((entry) => entry.startsWith('CNB_PLATFORM_API='))?.slice('CNB_PLATFORM_API='.length) ?? '';
  const [, major = '0', minor = '0'] = /^(\d{1,6})(?:\.(\d{1,6}))?$/.exec(stated) ?? [];
  return [Number(major), Number(minor)];
};

/** The mixins of a label, stages taken off; undefined when it is no list. */
const mixinsOf = ({ labels }: OciImage): readonly string[] | undefined => {
  try {
    const parsed = parseJson(labels[mixinsLabel] ?? '[]', labelBounds);
    if (parsed === null) return [];
    const known = Array.isArray(parsed) && parsed.every((mixin): mixin is string => typeof mixin === 'string');
    return known ? parsed.map((mixin) => mixin.slice(mixin.indexOf(':') + 1)) : undefined;
  } catch {
    return undefined;
  }
};

const stackRefusal = (app: OciImage, run: OciImage): string | undefined => {
  const [appStack = '', runStack = ''] = [app.labels[stackIdLabel], run.labels[stackIdLabel]];
  if (appStack === '') return 'stack not defined on app image';
  if (runStack === '') return 'stack not defined on new base image';
  if (appStack !== runStack) return `incompatible stack: '${runStack}' is not compatible with '${appStack}'`;
  const [wanted, offered] = [mixinsOf(app), mixinsOf(run)];
  if (wanted === undefined) return `label ${mixinsLabel} of the app image is no list of texts`;
  if (offered === undefined) return `label ${mixinsLabel} of the run image is no list of texts`;
  const missing = [...new Set(wanted).difference(new Set(offered))].sort();
  return missing.length === 0 ? undefined : `missing required mixin(s): ${missing.join(', ')}`;
};

const printTarget = ({ platform, labels }: OciImage): string => {
  const [name = '', version = ''] = distroLabels.map((label) => labels[label]);
  return JSON.stringify({
    os: platform.os,
    arch: platform.architecture,
    ...(platform.variant === '' ? {} : { 'arch-variant': platform.variant }),
    ...(name === '' && version === '' ? {} : { distro: { name, version } }),
  });
};

const targetsAgree = (app: OciImage, run: OciImage): boolean => {
  if (app.platform.os !== run.platform.os || app.platform.architecture !== run.platform.architecture) return false;
  const [was, is] = [app.platform.variant, run.platform.variant];
  if (was !== '' && is !== '' && was !== is) return false;
  return distroLabels.every((label) => (run.labels[label] ?? '') === '' || run.labels[label] === app.labels[label]);
};

const targetRefusal = (app: OciImage, run: OciImage): string | undefined => {
  if (app.labels[rebasableLabel] === 'false') return 'app image is not marked as rebasable';
  if (targetsAgree(app, run)) return undefined;
  return `unable to satisfy target os/arch constraints; new run image: ${printTarget(run)}, old run image: ${printTarget(app)}`;
};

/**
 * Refuses what the lifecycle does not look at below Platform API 0.12 and no image survives: layers of one processor or system under the name of
 * another. An image that does not say what it is for is taken at its word. Throws UnsafeRebaseError.
 */
const assertSamePlatform = (app: OciImage, run: OciImage): void => {
  const differs = (['os', 'architecture'] as const).some((part) => {
    const [was, is] = [app.platform[part], run.platform[part]];
    return was !== '' && is !== '' && was !== is;
  });
  if (differs)
    throw new UnsafeRebaseError(
      `the new run image is for another platform: ${printTarget(run)}, the app for ${printTarget(app)}`,
    );
};

/** Why the app image may not be put on this run image, as a sentence; undefined when it may. Throws UnsafeRebaseError for what building anew mends. */
export const rebaseRefusal = (app: OciImage, run: OciImage): string | undefined => {
  const [major, minor] = platformApiOf(app);
  if (major > 0 || minor >= 12) return targetRefusal(app, run);
  const refusal = stackRefusal(app, run);
  if (refusal === undefined) assertSamePlatform(app, run);
  return refusal;
};

const startsWith = (all: readonly string[], beginning: readonly string[]): boolean =>
  beginning.every((one, index) => all[index] === one);

/**
 * What is wrong with an image that a rebase made, before any tag names it: the new base is to be all of its beginning, and layers and diffIDs
 * of the app all of the rest; undefined when they are.
 */
export const rebaseFault = (made: OciImage, app: OciImage, run: OciImage, kept: number): string | undefined => {
  const listsOf = ({ layers, diffIds }: OciImage) => [layers.map(({ digest }) => digest), diffIds] as const;
  const isWhole = listsOf(made).every((all, which) => {
    const [base = [], own = []] = [listsOf(run)[which], listsOf(app)[which]?.slice(kept)];
    return all.length === base.length + own.length && startsWith(all, base) && startsWith(all.slice(base.length), own);
  });
  return isWhole
    ? undefined
    : 'the image that was made does not have the layers of the run image and then those of the app';
};
