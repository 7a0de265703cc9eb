import * as v from 'valibot';
import { statusEntries } from './condition.ts';
import { filled, integer, list, object, text } from './field.ts';
import { imageReference } from './image-name.ts';
import { serviceAccountReference } from './object-reference.ts';
import { resource } from './resource.ts';

const stackImage = (field: string, description: string) =>
  object({ image: imageReference(`spec.${field}.image`, 'Image reference.') }, description);

const resolvedImage = (description: string) =>
  v.optional(
    object(
      {
        image: v.optional(text('Image reference as given in the spec.')),
        latestImage: v.optional(text('The image with digest.')),
      },
      description,
    ),
  );

const ClusterStackSpecSchema = object(
  {
    id: filled(1024, 'spec.id', 'Id of the stack; both images carry it as a label.'),
    buildImage: stackImage('buildImage', 'Base of the build containers.'),
    runImage: stackImage('runImage', 'Base of the app images.'),
    serviceAccountRef: v.optional(serviceAccountReference('ServiceAccount whose registry credentials are used.')),
  },
  'The two images of the stack.',
);

const ClusterStackStatusSchema = object(
  {
    ...statusEntries,
    id: v.optional(text('Id of the stack.')),
    buildImage: resolvedImage('Base of the build containers.'),
    runImage: resolvedImage('Base of the app images.'),
    mixins: v.optional(list(text('A mixin.'), 'Mixins of the stack.')),
    userId: v.optional(integer('User that builds run as.')),
    groupId: v.optional(integer('Group that builds run as.')),
  },
  'The images as they were found.',
);

/** The base images of builds and apps. Source: spec 01 §4.10. */
export const ClusterStackSchema = resource('ClusterStack', {
  spec: ClusterStackSpecSchema,
  status: ClusterStackStatusSchema,
  description: 'The base images of builds and apps.',
});

/** The base images of builds and apps. */
export type ClusterStack = v.InferOutput<typeof ClusterStackSchema>;
/** Id and images of a stack. */
export type ClusterStackSpec = v.InferOutput<typeof ClusterStackSpecSchema>;
/** The images of a stack as they were found. */
export type ClusterStackStatus = v.InferOutput<typeof ClusterStackStatusSchema>;
