/** What a builder image's config says about the builds it makes (spec 03 §1.3). */
import * as v from 'valibot';
import { PermanentError } from '../../errors/expected.ts';
import { labelBounds } from '../../oci/label-bounds.ts';
import { parseJson } from '../../text/bounded-json.ts';
import type { ImageFacts } from '../images-port.ts';
import type { BuilderImage } from '../pod/context.ts';

const stackIdLabel = 'io.buildpacks.stack.id';
const builderMetadataLabel = 'io.buildpacks.builder.metadata';

const extensionOrderLabel = 'io.buildpacks.buildpack.order-extensions';

const versions = v.optional(v.nullable(v.array(v.string())));
const metadataSchema = v.object({
  stack: v.optional(v.object({ runImage: v.optional(v.object({ image: v.optional(v.string(), '') })) })),
  lifecycle: v.optional(
    v.object({
      apis: v.optional(v.object({ platform: v.optional(v.object({ deprecated: versions, supported: versions })) })),
    }),
  ),
});

const metadataOf = (label: string | undefined): v.InferOutput<typeof metadataSchema> => {
  const refuse = (why: string, cause?: unknown): never => {
    throw new PermanentError('', `unable to get builder metadata: ${why}`, { cause });
  };
  if (label === undefined) return refuse(`could not find label ${builderMetadataLabel}`);
  let json: unknown;
  try {
    json = parseJson(label, labelBounds);
  } catch (error) {
    return refuse(`label ${builderMetadataLabel} is not JSON`, error);
  }
  if (Array.isArray(json)) return refuse(`label ${builderMetadataLabel} is a list`);
  const parsed = v.safeParse(metadataSchema, json);
  return parsed.success ? parsed.output : refuse(`label ${builderMetadataLabel}: ${parsed.issues[0].message}`);
};

/** A list with something in it; builders without extensions have an empty one, null or none. */
const hasExtensions = (label: string | undefined): boolean => {
  try {
    const order: unknown = parseJson(label ?? '[]', labelBounds);
    return Array.isArray(order) && order.length > 0;
  } catch {
    throw new PermanentError('', `label ${extensionOrderLabel} of the builder image is not JSON`);
  }
};

const idOf = (env: readonly string[], name: string): number => {
  const value = env.findLast((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
  if (value === undefined) throw new PermanentError('', `ENV ${name} not found`);
  if (!/^[+-]?\d+$/.test(value))
    throw new PermanentError('', `strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  return Number(value);
};

/** Largest id that Kubernetes gives a process. */
const largestId = 2_147_483_647;

/** Ids that a pod can have: its steps never run as root, and one that would is told before there is a pod. */
const assertIds = ({ uid, gid }: BuilderImage): void => {
  if (uid === 0)
    throw new PermanentError('', 'CNB_USER_ID is 0: no build runs as root; use a builder whose stack has another user');
  if (Math.min(uid, gid) < 0 || Math.max(uid, gid) > largestId)
    throw new PermanentError('', `CNB_USER_ID ${uid} or CNB_GROUP_ID ${gid} is no id that a process can have`);
};

const readFrom = (image: string, { os, env, labels }: ImageFacts): BuilderImage => {
  const stackId = labels[stackIdLabel];
  if (stackId === undefined)
    throw new PermanentError('', `builder image stack ID label not present: could not find label ${stackIdLabel}`);
  const { stack, lifecycle } = metadataOf(labels[builderMetadataLabel]);
  const { deprecated, supported } = lifecycle?.apis?.platform ?? {};
  const builder: BuilderImage = {
    image,
    stackId,
    runImage: stack?.runImage?.image ?? '',
    platformApis: [...(deprecated ?? []), ...(supported ?? [])],
    uid: idOf(env, 'CNB_USER_ID'),
    gid: idOf(env, 'CNB_GROUP_ID'),
    ...(hasExtensions(labels[extensionOrderLabel]) && { hasExtensions: true }),
  };
  if (os !== 'windows') assertIds(builder);
  return builder;
};

/**
 * The builder behind `image`. Throws PermanentError, which names it, for an image that is no builder, builds for Windows or as root: its content
 * never changes under a digest, so only another image helps.
 */
export const builderImageFrom = (image: string, facts: ImageFacts): BuilderImage => {
  let builder: BuilderImage;
  try {
    builder = readFrom(image, facts);
  } catch (cause) {
    if (!(cause instanceof PermanentError)) throw cause;
    throw new PermanentError(cause.reason, `${cause.message} (builder image ${image})`, { cause });
  }
  if (facts.os === 'windows') throw new PermanentError('', 'windows builds are not supported');
  return builder;
};
