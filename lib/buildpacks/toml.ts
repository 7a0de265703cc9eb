/** `/cnb/stack.toml`, `/cnb/run.toml` and `/cnb/order.toml`, byte by byte as kpack's encoder writes them (spec 04 §8.6). */

/** A buildpack of a group, resolved. */
export interface ResolvedRef {
  readonly id: string;
  readonly version: string;
  readonly optional: boolean;
}

/** One alternative of a builder's order. */
export interface ResolvedGroup {
  readonly group: readonly ResolvedRef[];
}

const shortEscapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
};

/** Quotes, backslashes, C0 and DEL: all that a basic string may not hold raw. */
// oxlint-disable-next-line no-control-regex
const escaped = /["\\\u0000-\u001f\u007f]/g;

const basicString = (text: string): string =>
  `"${text.replace(escaped, (char) => shortEscapes[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`;

const refToml = (table: string, { id, version, optional }: ResolvedRef): string =>
  `\n  [[${table}.group]]\n    id = ${basicString(id)}\n    version = ${basicString(version)}\n${optional ? '    optional = true\n' : ''}`;

/** Names the run image, tag and digest, for lifecycles that look for it on disk. */
export const stackToml = (runImage: string): string => `[run-image]\n  image = ${basicString(runImage)}\n`;

/** The run images an app may stand on, for lifecycles from platform API 0.12 on: with it they tell whether an extension chose another. */
export const runToml = (runImage: string): string => `[[images]]\n  image = ${basicString(runImage)}\n`;

const groupsToml = (table: string, order: readonly ResolvedGroup[]): string =>
  order
    .map(
      ({ group }) =>
        `[[${table}]]\n${group.length === 0 ? '  group = []\n' : group.map((ref) => refToml(table, ref)).join('')}`,
    )
    .join('\n');

/** The order that detection tries, and after it that of image extensions. `version` is always written, even when empty. */
export const orderToml = (order: readonly ResolvedGroup[], extensions: readonly ResolvedGroup[] = []): string =>
  [
    order.length === 0 ? 'order = []\n' : groupsToml('order', order),
    ...(extensions.length === 0 ? [] : [groupsToml('order-extensions', extensions)]),
  ].join('\n');
