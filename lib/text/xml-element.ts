/** The one thing that is read of the XML that AWS answers. */

/** The text of the first element of that name, which holds text alone; undefined when there is none. */
export const textOfElement = (xml: string, name: string): string | undefined => {
  const open = `<${name}>`;
  const start = xml.indexOf(open);
  if (start < 0) return undefined;
  const from = start + open.length;
  const to = xml.indexOf('<', from);
  return to > from && xml.startsWith(`</${name}>`, to) ? xml.slice(from, to) : undefined;
};
