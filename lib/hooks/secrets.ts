/** The secrets of push hooks, and what each of them speaks for: everything, one host, or one organisation of a host. */
import * as v from 'valibot';
import { ExpectedError } from '../errors/expected.ts';

/** `*` for every repository, else the beginning of places as `repositoryPlace` writes them: `github.com`, `github.com/acme`. */
export type HookScope = string;

/** One secret. */
export interface HookSecret {
  readonly secret: string;
  readonly scope: HookScope;
}

/** As many are tried on each request that strangers send. */
export const mostHookSecrets = 50;
const everything: HookScope = '*';

const secretText = v.pipe(v.string(), v.minLength(1), v.maxLength(1000));
const scopedSchema = v.record(v.string(), v.union([secretText, v.array(secretText)]));

const wrong = (why: string): ExpectedError =>
  new ExpectedError(
    `the secrets of push hooks ${why}; write one secret for all hosts, or JSON: {"github.com/organisation": "secret", "host": ["new", "old"]}`,
  );

/** Host names have neither scheme nor port here: places have none either. */
const scopeIn = (key: string, number: number): HookScope => {
  const scope = key.toLowerCase();
  if (scope === everything) return everything;
  const isPlace = scope.length <= 500 && /^[a-z0-9_.-]+(?:\/[^\s/?#:]+)*$/u.test(scope);
  if (!isPlace) throw wrong(`have an entry, number ${number}, whose name is no host and no host/organisation`);
  return scope;
};

const scopedIn = (text: string): readonly HookSecret[] => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw wrong('are no JSON');
  }
  const parsed = v.safeParse(scopedSchema, json);
  if (!parsed.success) throw wrong('are not of the expected form');
  return Object.entries(parsed.output).flatMap(([key, given], index) => {
    const scope = scopeIn(key, index + 1);
    return [given].flat().map((secret) => ({ secret, scope }));
  });
};

/**
 * Secrets in a text: JSON that names what each is for, or words that are for everything, two while one replaces the other. Nothing of the
 * text is ever shown. @throws ExpectedError when it cannot be read
 */
export const secretsIn = (text: string): readonly HookSecret[] => {
  const trimmed = text.trim();
  const secrets = trimmed.startsWith('{')
    ? scopedIn(trimmed)
    : trimmed
        .split(/\s+/u)
        .filter((secret) => secret !== '')
        .map((secret) => ({ secret, scope: everything }));
  if (secrets.length > mostHookSecrets) throw wrong(`are ${secrets.length}, and ${mostHookSecrets} are the most`);
  return secrets;
};

/** Does the scope hold the repository at `place` (`repositoryPlace`)? */
export const covers = (scope: HookScope, place: string): boolean =>
  scope === everything || place === scope || place.startsWith(`${scope}/`);
