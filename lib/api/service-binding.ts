import * as v from 'valibot';
import { list, object, text } from './field.ts';
import { kindAndName } from './object-reference.ts';

/** Services bound during a build. Source: spec 01 §3.6. */
export const ServicesSchema = list(
  kindAndName('A Secret, or any object that offers one in status.binding.name; its namespace is the Build’s.'),
  'Services bound during the build.',
);

/** Bindings of the v1alpha1 era. Source: spec 01 §3.6. */
export const CnbBindingsSchema = list(
  object(
    {
      name: text('Name of the binding.'),
      metadataRef: object({ name: text('Name of the ConfigMap.') }, 'ConfigMap with the metadata of the binding.'),
      secretRef: v.optional(object({ name: text('Name of the Secret.') }, 'Secret of the binding.')),
    },
    'A binding.',
  ),
  'Bindings in the older form; used only when services is empty.',
);

/** Services bound during a build: kind Secret, or a provisioned service of any other kind. */
export type Services = v.InferOutput<typeof ServicesSchema>;
/** Bindings in the older form. */
export type CnbBindings = v.InferOutput<typeof CnbBindingsSchema>;
/** One binding in the older form. */
export type CnbBinding = CnbBindings[number];
