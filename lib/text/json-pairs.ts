/**
 * JSON with everything that is written in it: an object is a list of its members in their order, names that come twice included, which the
 * platform's parser would leave out and Go's does not.
 */
import { type JsonBounds, parseJson } from './bounded-json.ts';

/** Members of an object. */
export class JsonMembers {
  readonly list: readonly (readonly [name: string, value: JsonValue])[];

  constructor(list: readonly (readonly [name: string, value: JsonValue])[]) {
    this.list = list;
  }
}

/** A value as written. */
export type JsonValue = JsonMembers | boolean | number | string | null | readonly JsonValue[];

/** Structure, or a text, number or word. Only of texts that are JSON. */
const token = /[\t\n\r ]*([{}[\],:]|"[^"\\]*(?:\\.[^"\\]*)*"|[^\t\n\r {}[\],:"]+)/uy;

/** The value of a JSON text. @throws SyntaxError as `parseJson` does, without any of its content */
export const parseJsonPairs = (json: string, bounds: JsonBounds): JsonValue => {
  parseJson(json, bounds);
  token.lastIndex = 0;
  const next = (): string => token.exec(json)?.[1] ?? '';
  const until = (end: string, item: (first: string) => void): void => {
    for (let word = next(); word !== end; word = next()) if (word !== ',') item(word);
  };
  const value = (word: string): JsonValue => {
    if (word === '{') {
      const members: (readonly [string, JsonValue])[] = [];
      until('}', (name) => {
        next();
        members.push([JSON.parse(name) as string, value(next())]);
      });
      return new JsonMembers(members);
    }
    if (word === '[') {
      const items: JsonValue[] = [];
      until(']', (first) => items.push(value(first)));
      return items;
    }
    return JSON.parse(word) as boolean | number | string | null;
  };
  return value(next());
};
