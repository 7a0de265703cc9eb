/**
 * JSON read without losing the order of keys, which `JSON.parse` changes for keys such as `10`: what is parsed here and printed by goJson is
 * byte for byte what Go printed before (lib/text/go-json.ts).
 */
import type { GoJson } from '../text/go-json.ts';
import { invalidContent } from './errors.ts';

const space = /[ \t\n\r]*/y;
const scalar = /"[^"\\]*(?:\\.[^"\\]*)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const deepest = 100;

/** Objects become Maps. `what` says whose text it is. Throws OciError `invalid-content`, also above a hundred levels. */
export const parseOrdered = (text: string, what: string): GoJson => {
  let at = 0;
  const fail = (): never => {
    throw invalidContent(`${what} is not JSON at character ${at}`);
  };
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    at += found?.length ?? 0;
    return found;
  };
  const eat = (character: string): boolean => {
    take(space);
    if (text[at] !== character) return false;
    at++;
    return true;
  };
  const parseScalar = (found: string | undefined): string | number | boolean | null => {
    try {
      return JSON.parse(found ?? '') as string | number | boolean | null;
    } catch {
      return fail();
    }
  };
  const list = (close: string, item: () => void): void => {
    if (eat(close)) return;
    do item();
    while (eat(','));
    if (!eat(close)) fail();
  };
  const value = (depth: number): GoJson => {
    if (depth > deepest) fail();
    if (eat('{')) {
      const members = new Map<string, GoJson>();
      list('}', () => {
        take(space);
        const key = text[at] === '"' ? (parseScalar(take(scalar)) as string) : fail();
        if (!eat(':')) fail();
        members.set(key, value(depth + 1));
      });
      return members;
    }
    if (eat('[')) {
      const items: GoJson[] = [];
      list(']', () => items.push(value(depth + 1)));
      return items;
    }
    return parseScalar(take(scalar));
  };
  const parsed = value(0);
  take(space);
  return at === text.length ? parsed : fail();
};
