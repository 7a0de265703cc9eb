/** The `Link` header (RFC 8288): where the next page of a list is. */

const parameter = /[;\s]*([A-Za-z]+)\s*=\s*(?:"([^"]*)"|([^\s;,"]*))/y;

/** Longest header that is looked at, in characters; Node takes 16 KiB for all of them. */
const longest = 8 * 1024;

/** The target of the first link with `rel="next"`; undefined when there is none. Each character is looked at once. */
export const nextIn = (header: string | null): string | undefined => {
  if (header === null || header.length > longest) return undefined;
  let at = 0;
  for (;;) {
    const open = header.indexOf('<', at);
    const close = open < 0 ? -1 : header.indexOf('>', open);
    if (close < 0) return undefined;
    at = close + 1;
    parameter.lastIndex = at;
    for (let found = parameter.exec(header); found !== null; found = parameter.exec(header)) {
      const [, name = '', quoted, plain] = found;
      const kinds = (quoted ?? plain ?? '').toLowerCase().split(' ');
      if (name.toLowerCase() === 'rel' && kinds.includes('next')) return header.slice(open + 1, close);
      at = parameter.lastIndex;
    }
  }
};
