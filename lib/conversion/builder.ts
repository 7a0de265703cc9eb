/** A Builder between v1alpha1 and v1alpha2 (spec 01 §10.3). */
import { listIn, objectIn, picked, present, textIn } from './json.ts';
import type { KindConversion } from './parts.ts';

const same = ['tag', 'stack', 'store'] as const;

/** Buildpacks by id alone: v1alpha1 knows no others. A group of none stays. */
const orderById = (order: unknown): unknown =>
  listIn(order, 'spec.order')?.map((entry, at) => {
    const field = `spec.order[${at}]`;
    const group = listIn(objectIn(entry, field)?.['group'], `${field}.group`);
    return present({
      group: group?.flatMap((member, index) => {
        const buildpack = objectIn(member, `${field}.group[${index}]`) ?? {};
        const id = textIn(buildpack['id'], `${field}.group[${index}].id`);
        return id === '' ? [] : [picked(buildpack, ['id', 'version', 'optional'])];
      }),
    });
  });

/** The account has one name in v1alpha1 and two in v1alpha2, of which the older is read when the newer is empty. */
const accountIn = ({ serviceAccountName, serviceAccount }: Readonly<Record<string, unknown>>): string | undefined => {
  const named = textIn(serviceAccountName, 'spec.serviceAccountName');
  const account = named === '' ? textIn(serviceAccount, 'spec.serviceAccount') : named;
  return account === '' ? undefined : account;
};

/** kpack carries neither the lifecycle nor labels nor buildpacks by kind and name. */
export const builderConversion: KindConversion = {
  toOlder: ({ annotations, spec, status }) => ({
    annotations,
    spec: present({ ...picked(spec, same), order: orderById(spec['order']), serviceAccount: accountIn(spec) }),
    status,
  }),
  toStored: ({ annotations, spec, status }) => ({
    annotations,
    spec: present({
      ...picked(spec, same),
      order: spec['order'],
      serviceAccountName: spec['serviceAccount'],
    }),
    status,
  }),
};
