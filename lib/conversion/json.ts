/** JSON objects that are taken apart by name: what comes from the API server is checked where it is used, and nothing is assumed. */

/** A JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Why an object could not be converted: the field and what is wrong with it. */
export class ConversionError extends Error {
  override readonly name = 'ConversionError';
}

/** Whether it is a JSON object. */
export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The object in a field; undefined when it is absent. @throws ConversionError that names the field */
export const objectIn = (value: unknown, field: string): JsonObject | undefined => {
  if (value === undefined || value === null) return undefined;
  if (!isJsonObject(value)) throw new ConversionError(`${field} is no object`);
  return value;
};

/** The list in a field; undefined when it is absent. @throws ConversionError that names the field */
export const listIn = (value: unknown, field: string): readonly unknown[] | undefined => {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw new ConversionError(`${field} is no list`);
  return value as readonly unknown[];
};

/** The text in a field; empty when it is absent. @throws ConversionError that names the field */
export const textIn = (value: unknown, field: string): string => {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw new ConversionError(`${field} is no text`);
  return value;
};

/** The object without members that are undefined. */
export const present = (members: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));

/** The named members, those that are there. */
export const picked = (members: JsonObject, names: readonly string[]): JsonObject =>
  Object.fromEntries(names.filter((name) => Object.hasOwn(members, name)).map((name) => [name, members[name]]));

/** The value without null members, at any depth: to the API server null is absent. */
export const withoutNulls = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null && member !== undefined)
      .map(([name, member]) => [name, withoutNulls(member)]),
  );
};
