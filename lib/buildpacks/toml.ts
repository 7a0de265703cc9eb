/** `/cnb/stack.toml` and `/cnb/order.toml`, byte by byte as kpack's encoder writes them (spec 04 §8.6). */

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

const refToml = ({ id, version, optional }: ResolvedRef): string =>
  `\n  [[order.group]]\n    id = ${basicString(id)}\n    version = ${basicString(version)}\n${optional ? '    optional = true\n' : ''}`;

/** Names the run image, tag and digest, for lifecycles that look for it on disk. */
export const stackToml = (runImage: string): string => `[run-image]\n  image = ${basicString(runImage)}\n`;

/** The order that detection tries. `version` is always written, even when empty. */
export const orderToml = (order: readonly ResolvedGroup[]): string =>
  order.length === 0
    ? 'order = []\n'
    : order
        .map(({ group }) => `[[order]]\n${group.length === 0 ? '  group = []\n' : group.map(refToml).join('')}`)
        .join('\n');
