/** Options that npm took for its own: `npm run deploy --stage x` hands the script no `--stage`, and says it in the environment alone. */
import { nearestTo } from './nearest.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Settings of npm itself that options of ours are called like, or nearly: they may be set for npm's own sake. */
const npmsOwn: ReadonlySet<string> = new Set([
  'access',
  'cache',
  'force',
  'json',
  'only',
  'prefix',
  'registry',
  'scope',
  'tag',
  'user',
  'usage',
]);

const prefix = 'npm_config_';

/** What npm kept for itself of the options that `names` are, or that are nearly spelt so; as somebody typed it, and as it is right. */
export const swallowedOptions = (
  names: readonly string[],
  environment: Environment,
): readonly { readonly typed: string; readonly meant: string }[] =>
  Object.entries(environment).flatMap(([variable, value]) => {
    if (!variable.startsWith(prefix) || value === undefined || value === '') return [];
    const typed = variable.slice(prefix.length).replaceAll('_', '-');
    const meant = npmsOwn.has(typed) ? undefined : nearestTo(typed, names);
    return meant === undefined ? [] : [{ typed, meant }];
  });
