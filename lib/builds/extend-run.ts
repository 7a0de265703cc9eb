/** Gives a build pod the run image that an image extension chose and extends (lib/builds/pod/extensions.ts). Pure: the patches, not the patching. */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import * as v from 'valibot';
import { extendRunImageAnnotation } from '../api/labels.ts';
import { parseReference, printReference } from '../oci/reference.ts';
import { parseJson } from '../text/bounded-json.ts';
import { extendRunStep } from './pod/extensions.ts';
import { initStatuses } from './steps.ts';

const schema = v.object({ extendRunImage: v.string() });

/** What `restore` said; undefined when it said nothing or what it said is no image with a digest. */
const chosen = (pod: Pod): { readonly said: string; readonly image: string } | undefined => {
  const ended = initStatuses(pod).find(({ name }) => name === 'restore')?.state?.terminated;
  if (ended?.exitCode !== 0 || !(ended.message ?? '').startsWith('{')) return undefined;
  try {
    const { extendRunImage: said } = v.parse(schema, parseJson(ended.message ?? '', { mostCharacters: 4096 }));
    const reference = parseReference(said);
    return reference.digest === undefined ? undefined : { said, image: printReference(reference) };
  } catch {
    return undefined;
  }
};

/** The run image that an image extension chose, as the step is given it; undefined when none did. */
export const chosenRunImage = (pod: Pod): string | undefined => chosen(pod)?.image;

/**
 * JSON merge patches to apply now: the image of the step that has not begun, with the annotation that its predecessor waits for. None where
 * no extension chose an image, or it was given already.
 */
export const runImagePatches = (pod: Pod): readonly { readonly metadata?: object; readonly spec?: object }[] => {
  const steps = pod.spec?.initContainers ?? [];
  if (!steps.some(({ name }) => name === extendRunStep)) return [];
  const wanted = chosen(pod);
  if (wanted === undefined || pod.metadata?.annotations?.[extendRunImageAnnotation] === wanted.said) return [];
  return [
    {
      metadata: { annotations: { [extendRunImageAnnotation]: wanted.said } },
      spec: {
        initContainers: steps.map((step) => (step.name === extendRunStep ? { ...step, image: wanted.image } : step)),
      },
    },
  ];
};
