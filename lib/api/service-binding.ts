import * as v from 'valibot';
import { listUpTo, longestName, object, textUpTo } from './field.ts';
import { kindAndName } from './object-reference.ts';
import { invalidValue, missingField, notEmpty, type Rule, ruled } from './rule.ts';

/** More than a pod mounts with comfort; the rule about names looks at every pair. */
const mostBindings = 128;

const bindingName = '^[a-z0-9.-]{1,253}$';
const validName: Rule = {
  rule: `self.name == '' || self.name.matches('${bindingName}')`,
  fieldPath: '.name',
  ...invalidValue('self.name', 'must be 1 to 253 lower-case letters, digits, dots and dashes'),
};
const hasName: Rule = { rule: "self.name != ''", fieldPath: '.name', ...missingField('name') };

/** `what` is how kpack calls one. */
const differentNames = (what: 'service' | 'binding'): Rule => ({
  rule: 'self.all(one, self.exists_one(other, other.name == one.name))',
  message: `duplicate ${what} name`,
  messageExpression: `'duplicate ${what} name "' + self.map(one, one.name).filter(one, !self.exists_one(other, other.name == one))[0] + '": each name may occur once'`,
});

/** Services bound during a build. Source: spec 01 §3.6. */
export const ServicesSchema = ruled(
  listUpTo(
    mostBindings,
    kindAndName(
      'A Secret, or any object that offers one in status.binding.name; its namespace is the Build’s.',
      hasName,
      validName,
      { rule: "self.kind != ''", fieldPath: '.kind', ...missingField('kind') },
    ),
    'Services bound during the build.',
  ),
  differentNames('service'),
);

const named = (description: string, what: string) =>
  object({ name: ruled(textUpTo(longestName, what), notEmpty('name')) }, description);

/** Bindings of the v1alpha1 era. Source: spec 01 §3.6. */
export const CnbBindingsSchema = ruled(
  listUpTo(
    mostBindings,
    ruled(
      object(
        {
          name: textUpTo(longestName, 'Name of the binding.'),
          metadataRef: named('ConfigMap with the metadata of the binding.', 'Name of the ConfigMap.'),
          secretRef: v.optional(named('Secret of the binding.', 'Name of the Secret.')),
        },
        'A binding.',
      ),
      hasName,
      validName,
    ),
    'Bindings in the older form; used only when services is empty.',
  ),
  differentNames('binding'),
);

/** Services bound during a build: kind Secret, or a provisioned service of any other kind. */
export type Services = v.InferOutput<typeof ServicesSchema>;
/** Bindings in the older form. */
export type CnbBindings = v.InferOutput<typeof CnbBindingsSchema>;
/** One binding in the older form. */
export type CnbBinding = CnbBindings[number];
