import * as v from 'valibot';
import { flag, list, listUpTo, object, text, textUpTo } from './field.ts';
import { objectReferenceEntries } from './object-reference.ts';
import { invalidValue, orEmpty, type Rule, ruled } from './rule.ts';

/** More groups, or buildpacks in one, than any builder has. */
const mostGroups = 512;

const version = v.optional(text('Version of the buildpack; the highest one when left out.'));
const optional = v.optional(flag('Whether the group may pass detection without this buildpack.'));

/** A buildpack in a resolved order. Source: spec 01 §3.4. */
export const BuildpackRefSchema = object(
  { id: text('Id of the buildpack.'), version, optional },
  'A buildpack of the group.',
);

/** One alternative of a resolved order. */
export const OrderEntrySchema = object(
  { group: v.optional(list(BuildpackRefSchema, 'Buildpacks tried together.'), []) },
  'One group of buildpacks; the first group that detects wins.',
);

const kind = orEmpty('self.kind');
const name = orEmpty('self.name');
const id = orEmpty('self.id');
const image = orEmpty('self.image');

/** A buildpack is named by id, or by kind and name; a right kind without a name passes, as in kpack (spec 01 §7.6). */
const namedOnce: readonly Rule[] = [
  {
    rule: `(${kind} == '' && ${name} == '') || ${kind} in ['Buildpack', 'ClusterBuildpack']`,
    fieldPath: '.kind',
    ...invalidValue(kind, 'must be one of Buildpack, ClusterBuildpack'),
  },
  {
    rule: `${kind} in ['Buildpack', 'ClusterBuildpack'] || ${kind} == '' || ${name} != ''`,
    fieldPath: '.name',
    message: 'missing field(s): name',
    reason: 'FieldValueRequired',
  },
];

const namesSomething = (fields: readonly string[], says: string): Rule => ({
  rule: fields.map((field) => `${field} != ''`).join(' || '),
  message: `expected exactly one, got neither: ${says}`,
});

/** A buildpack as a builder asks for it. Source: spec 01 §3.11. */
export const BuilderBuildpackRefSchema = ruled(
  object(
    {
      ...objectReferenceEntries,
      id: v.optional(textUpTo(1024, 'Id of a buildpack in the store or in any Buildpack or ClusterBuildpack.')),
      version,
      optional,
      image: v.optional(textUpTo(1024, 'Reserved; refused when set.')),
    },
    'A buildpack by id, or a Buildpack or ClusterBuildpack by kind and name.',
  ),
  ...namedOnce,
  {
    rule: `${image} == ''`,
    fieldPath: '.image',
    message:
      'must not set the field(s): image reference currently not supported; name the image in a ClusterStore or (Cluster)Buildpack',
    reason: 'FieldValueForbidden',
  },
  namesSomething([kind, name, id, image], 'id, image, name + kind'),
);

/** A list of alternatives, with the bound that rules about its items need. */
export const orderOf = <T extends v.GenericSchema>(entry: T, description: string) =>
  listUpTo(mostGroups, entry, description);

/** One alternative of the order a builder asks for. */
export const BuilderOrderEntrySchema = object(
  { group: v.optional(listUpTo(mostGroups, BuilderBuildpackRefSchema, 'Buildpacks tried together.'), []) },
  'One group of buildpacks; the first group that detects wins.',
);

/** An image extension in a resolved order of extensions. */
const ExtensionRefSchema = object(
  { id: text('Id of the extension.'), version: v.optional(text('Version of the extension.')) },
  'An extension of the group.',
);

/** One alternative of a resolved order of image extensions. */
export const ExtensionOrderEntrySchema = object(
  { group: v.optional(list(ExtensionRefSchema, 'Extensions tried together.'), []) },
  'One group of extensions; put before each group of buildpacks.',
);

/** An image extension as a builder asks for it: as a buildpack, but always optional. Beyond kpack. */
const BuilderExtensionRefSchema = ruled(
  object(
    {
      ...objectReferenceEntries,
      id: v.optional(textUpTo(1024, 'Id of an extension in the store or in any Buildpack or ClusterBuildpack.')),
      version: v.optional(text('Version of the extension; the highest one when left out.')),
    },
    'An image extension by id, or a Buildpack or ClusterBuildpack by kind and name.',
  ),
  ...namedOnce,
  namesSomething([kind, name, id], 'id, name + kind'),
);

/** One alternative of the order of image extensions a builder asks for. */
export const BuilderExtensionOrderEntrySchema = object(
  { group: v.optional(listUpTo(mostGroups, BuilderExtensionRefSchema, 'Extensions tried together.'), []) },
  'One group of extensions; put before each group of buildpacks.',
);

/** A buildpack of a resolved order: printed `id@version`. */
export type BuildpackRef = v.InferOutput<typeof BuildpackRefSchema>;
/** One group of a resolved order. */
export type OrderEntry = v.InferOutput<typeof OrderEntrySchema>;
/** A buildpack as a builder asks for it: by id (and version), or by kind and name. */
export type BuilderBuildpackRef = v.InferOutput<typeof BuilderBuildpackRefSchema>;
/** One group of the order a builder asks for. */
export type BuilderOrderEntry = v.InferOutput<typeof BuilderOrderEntrySchema>;
/** One group of the order of image extensions a builder asks for. */
export type BuilderExtensionOrderEntry = v.InferOutput<typeof BuilderExtensionOrderEntrySchema>;
