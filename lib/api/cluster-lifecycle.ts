import * as v from 'valibot';
import { statusEntries } from './condition.ts';
import { filled, object } from './field.ts';
import { resolvedLifecycleEntries } from './lifecycle.ts';
import { serviceAccountReference } from './object-reference.ts';
import { resource } from './resource.ts';

const ClusterLifecycleSpecSchema = object(
  {
    image: filled(1024, 'spec.image', 'Lifecycle image.'),
    serviceAccountRef: v.optional(serviceAccountReference('ServiceAccount whose registry credentials are used.')),
  },
  'The lifecycle image.',
);

const ClusterLifecycleStatusSchema = object(
  { ...statusEntries, ...resolvedLifecycleEntries },
  'The lifecycle as it was found.',
);

/** The lifecycle that builders contain. Source: spec 01 §4.11. */
export const ClusterLifecycleSchema = resource('ClusterLifecycle', {
  spec: ClusterLifecycleSpecSchema,
  status: ClusterLifecycleStatusSchema,
  description: 'The lifecycle that builders contain.',
});

/** The lifecycle that builders contain. */
export type ClusterLifecycle = v.InferOutput<typeof ClusterLifecycleSchema>;
/** The lifecycle image and, if needed, the account that reads it. */
export type ClusterLifecycleSpec = v.InferOutput<typeof ClusterLifecycleSpecSchema>;
/** The lifecycle as it was found. */
export type ClusterLifecycleStatus = v.InferOutput<typeof ClusterLifecycleStatusSchema>;
