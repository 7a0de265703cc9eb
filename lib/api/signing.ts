import * as v from 'valibot';
import { list, object, text } from './field.ts';

/** Notary v1 signing; accepted from the v1alpha1 era. Source: spec 01 §3.7. */
export const NotaryConfigSchema = object(
  {
    v1: v.optional(
      object(
        {
          url: text('Notary server.'),
          secretRef: object({ name: text('Name of the Secret.') }, 'Secret with the signing key and its password.'),
        },
        'Notary v1.',
      ),
    ),
  },
  'Signing with Notary; deprecated.',
);

/** What cosign signatures carry besides time and build number. Source: spec 01 §3.7. */
export const CosignConfigSchema = object(
  {
    annotations: v.optional(
      list(
        object(
          { name: v.optional(text('Key of the annotation.')), value: v.optional(text('Value of the annotation.')) },
          'An annotation.',
        ),
        'Annotations of the signature, besides buildTimestamp and buildNumber.',
      ),
    ),
  },
  'Signing with cosign.',
);

/** A signature made for a builder image. Source: spec 01 §3.4. */
export const CosignSignatureSchema = object(
  {
    signingSecret: text('The key, as k8s://<namespace>/<name>.'),
    targetDigest: text('Reference of the signature image with digest.'),
  },
  'A signature of the image.',
);

/** Where and with what key Notary v1 signs. */
export type NotaryConfig = v.InferOutput<typeof NotaryConfigSchema>;
/** Annotations for cosign signatures. */
export type CosignConfig = v.InferOutput<typeof CosignConfigSchema>;
/** A signature made for a builder image. */
export type CosignSignature = v.InferOutput<typeof CosignSignatureSchema>;
