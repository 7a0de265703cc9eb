/** Objects without their undefined members, as `exactOptionalPropertyTypes` and the API server's JSON want them. Leaf module. */

/** The same fields with every `undefined` one left out, so that a conditional field can be written in place. */
export const defined = <T extends object>(fields: { readonly [K in keyof T]: T[K] | undefined }): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
