/** JSON values as block YAML with sorted keys: only to show a change of configuration to people (spec 03 §10.7). */

/** Plain scalars that YAML would read as something else than a string. */
const needsQuotes =
  /^$|^[\s\-?:,[\]{}#&*!|>'"%@`]|: |:$| #|\s$|\p{Cc}|^(?:true|false|null|yes|no|on|off|~|[-+]?[\d.][\d._eE+-]*|0x[\da-f]+|0o[0-7]+|[-+]?\.inf|\.nan)$/iu;

/** Ends with a newline. */
export function blockYaml(value: unknown): string {
  return isInline(value)
    ? `${scalar(value)}\n`
    : lines(value)
        .map((line) => `${line}\n`)
        .join('');
}

function lines(value: unknown): readonly string[] {
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown) => {
      if (isInline(item)) return [`- ${scalar(item)}`];
      const [first = '', ...rest] = lines(item);
      return [`- ${first}`, ...rest.map((line) => `  ${line}`)];
    });
  }
  const entries = Object.entries(value as Readonly<Record<string, unknown>>).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.flatMap(([key, item]) => {
    if (isInline(item)) return [`${scalar(key)}: ${scalar(item)}`];
    const indent = Array.isArray(item) ? '' : '  ';
    return [`${scalar(key)}:`, ...lines(item).map((line) => `${indent}${line}`)];
  });
}

function isInline(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0;
}

function scalar(value: unknown): string {
  if (typeof value === 'string') return needsQuotes.test(value) ? JSON.stringify(value) : value;
  return JSON.stringify(value) ?? 'null';
}
