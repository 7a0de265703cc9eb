/** Orders texts by their UTF-8 bytes, as Go does; JavaScript's own `<` goes by UTF-16 units and differs above U+FFFF. */
export const bytewise = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
