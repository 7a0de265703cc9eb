import * as v from 'valibot';
import { filled, list, listUpTo, longestName, object, text, textUpTo } from './field.ts';
import { missingField, orEmpty, ruled } from './rule.ts';

/** Notary v1 signing; accepted from the v1alpha1 era. Source: spec 01 §3.7. */
export const NotaryConfigSchema = object(
  {
    v1: v.optional(
      object(
        {
          url: filled(8192, 'spec.notary.v1.url', 'Notary server.'),
          secretRef: object(
            { name: filled(longestName, 'spec.notary.v1.secretRef.name', 'Name of the Secret.') },
            'Secret with the signing key and its password.',
          ),
        },
        'Notary v1.',
      ),
    ),
  },
  'Signing with Notary; deprecated.',
);

const cosignAnnotation = object(
  {
    name: v.optional(textUpTo(longestName, 'Key of the annotation.')),
    value: v.optional(textUpTo(65536, 'Value of the annotation.')),
  },
  'An annotation.',
);
const cosignAnnotations = 'Annotations of the signature, besides buildTimestamp and buildNumber.';

/** What cosign signatures of a Build carry besides time and build number; kpack checks them on Images alone. Source: spec 01 §3.7, §7.5. */
export const CosignConfigSchema = object(
  { annotations: v.optional(list(cosignAnnotation, cosignAnnotations)) },
  'Signing with cosign.',
);

/** Annotations of an Image's cosign signatures: every one has a name and a value. Source: spec 01 §7.4. */
export const ImageCosignAnnotationsSchema = listUpTo(
  256,
  ruled(
    cosignAnnotation,
    { rule: `${orEmpty('self.name')} != ''`, fieldPath: '.name', ...missingField('name') },
    { rule: `${orEmpty('self.value')} != ''`, fieldPath: '.value', ...missingField('value') },
  ),
  cosignAnnotations,
);

/** As {@link CosignConfigSchema}, for an Image. */
export const ImageCosignConfigSchema = object(
  { annotations: v.optional(ImageCosignAnnotationsSchema) },
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
