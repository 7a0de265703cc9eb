/**
 * What the record of a Build keeps of it, in the table, where no tenant writes: the spec it began with, and the pod that was made for it
 * (docs/decisions/0006-whose-pod.md). Without it, as after a crash, a Build is looked at as if it had just begun. Pure.
 */
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import type { Build } from '../api/build.ts';
import { stableJson } from '../text/stable-json.ts';
import { disruptionReasons } from './disruption.ts';

const text = v.string();
const schema = v.object({
  build: text,
  generation: v.number(),
  spec: text,
  pod: v.optional(v.object({ uid: text, images: text, runImage: v.optional(text) })),
  toldAt: v.optional(v.number()),
  node: v.optional(text),
  tries: v.optional(v.object({ pods: v.number(), used: v.number() })),
  disrupted: v.optional(v.object({ reason: v.picklist(disruptionReasons), words: text })),
  next: v.optional(v.object({ at: v.number(), over: v.optional(text), because: text })),
  cacheless: v.optional(text),
  fromSource: v.optional(text),
});

/** The pod as the API server made it: who it is, and what of it can still be changed. */
export type MadePod = NonNullable<BuildMemory['pod']>;

/**
 * `build` is its uid, `spec` a hash, `toldAt` when its progress was last told, in Unix seconds, and `node` where the pod was then; hashes are base64url of SHA-256. `tries`: how often
 * a pod was made for it. `disrupted`: what Kubernetes is about to end its pod for. `next`: another pod is to be made `at` that time, Unix seconds,
 * once the one with uid `over` is gone; `because` is for people. `cacheless`: why it goes without
 * the Build's cache; `fromSource`: why what was to be rebased is built.
 */
export type BuildMemory = v.InferOutput<typeof schema>;

/** A hash of any value, whatever the order of its keys. */
export const hashOf = (value: unknown): string => createHash('sha256').update(stableJson(value)).digest('base64url');

/** What is remembered of a Build that begins now. */
const begun = ({ metadata, spec }: Build): BuildMemory => ({
  build: metadata.uid ?? '',
  generation: metadata.generation ?? 0,
  spec: hashOf(spec),
});

/** What the record says of this very Build; one of an earlier Build of the name, or none, says that it begins now. */
export const memoryOf = (record: string | undefined, build: Build): BuildMemory => {
  try {
    const parsed = v.safeParse(schema, JSON.parse(record ?? '{}'));
    if (parsed.success && parsed.output.build === build.metadata.uid) return parsed.output;
  } catch {
    // Another release's, or nobody's: as good as none.
  }
  return begun(build);
};

/** As the record keeps it. */
export const memoryText = (memory: BuildMemory): string => JSON.stringify(memory);

/**
 * Whether somebody changed the spec after the Build began, which admission forbids where it is installed. The API server counts changes in
 * `generation`; where that is the same, defaults of a newer schema may look different and are none.
 */
export const isSpecChanged = (memory: BuildMemory, { metadata, spec }: Build): boolean =>
  memory.generation !== (metadata.generation ?? 0) && memory.spec !== hashOf(spec);
