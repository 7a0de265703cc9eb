/** Reading members of a request: the wire form is unknown JSON until it has passed here. */

import { malformedRequest, missingParameter } from './errors.ts';

/** The members of a request or of one of its structures. */
export type Input = Readonly<Record<string, unknown>>;

const wrongType = (name: string, wanted: string): never => {
  throw malformedRequest(`${name} must be ${wanted}`);
};

export const isInput = (value: unknown): value is Input =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const optionalText = (input: Input, name: string): string | undefined => {
  const value = input[name] ?? undefined;
  return value === undefined || typeof value === 'string' ? value : wrongType(name, 'a string');
};

/** A string that is there and not empty. */
export const text = (input: Input, name: string): string => {
  const value = optionalText(input, name);
  if (value === undefined || value === '') throw missingParameter(name);
  return value;
};

/** Numbers may come as strings of digits, which some SDKs send. */
export const optionalNumber = (input: Input, name: string): number | undefined => {
  const value = input[name] ?? undefined;
  if (value === undefined || typeof value === 'number') return value;
  return typeof value === 'string' && /^-?\d{1,9}$/.test(value) ? Number(value) : wrongType(name, 'a number');
};

export const number = (input: Input, name: string): number => {
  const value = optionalNumber(input, name);
  if (value === undefined) throw missingParameter(name);
  return value;
};

export const textList = (input: Input, name: string): readonly string[] => {
  const value = input[name] ?? [];
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
    ? value
    : wrongType(name, 'a list of strings');
};

export const textMap = (input: Input, name: string): Readonly<Record<string, string>> => {
  const value = input[name] ?? {};
  if (!isInput(value)) return wrongType(name, 'a map');
  return Object.fromEntries(
    Object.keys(value).map((key) => [key, optionalText(value, key) ?? wrongType(name, 'a map of strings')]),
  );
};

export const structureMap = (input: Input, name: string): Readonly<Record<string, Input>> => {
  const value = input[name] ?? {};
  if (!isInput(value)) return wrongType(name, 'a map');
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, isInput(one) ? one : wrongType(name, 'a map of structures')]),
  );
};

export const structures = (input: Input, name: string): readonly Input[] => {
  const value = input[name] ?? [];
  return Array.isArray(value) && value.every(isInput) ? value : wrongType(name, 'a list of structures');
};
