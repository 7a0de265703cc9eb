/** As much of the Distinguished Encoding Rules (ITU-T X.690) as a certificate needs. Everything is bytes that can be put into each other. */

const lengthOf = (bytes: number): Buffer => {
  if (bytes < 0x80) return Buffer.from([bytes]);
  const digits: number[] = [];
  for (let rest = bytes; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  return Buffer.from([0x80 + digits.length, ...digits]);
};

const tagged = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content]);
};

/** SEQUENCE. */
export const sequence = (...parts: readonly Uint8Array[]): Buffer => tagged(0x30, ...parts);
/** SET of one. */
export const setOf = (part: Uint8Array): Buffer => tagged(0x31, part);
/** A constructed, context-specific tag, as EXPLICIT [n]. */
export const explicit = (number: number, ...parts: readonly Uint8Array[]): Buffer => tagged(0xa0 + number, ...parts);
/** A primitive, context-specific tag, as IMPLICIT [n]. */
export const implicit = (number: number, bytes: Uint8Array): Buffer => tagged(0x80 + number, bytes);
/** OCTET STRING. */
export const octets = (bytes: Uint8Array): Buffer => tagged(0x04, bytes);
/** BIT STRING, of which `unused` bits at the end do not count. */
export const bits = (bytes: Uint8Array, unused = 0): Buffer => tagged(0x03, Buffer.from([unused]), bytes);
/** UTF8String. */
export const utf8 = (text: string): Buffer => tagged(0x0c, Buffer.from(text, 'utf8'));
/** BOOLEAN. */
export const truth = (value: boolean): Buffer => tagged(0x01, Buffer.from([value ? 0xff : 0]));
/** INTEGER that is not negative, from its bytes. */
export const integer = (bytes: Uint8Array): Buffer => {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = first === -1 ? Buffer.from([0]) : Buffer.from(bytes.subarray(first));
  // A first bit would be the sign.
  return tagged(0x02, (digits[0] ?? 0) < 0x80 ? digits : Buffer.concat([Buffer.from([0]), digits]));
};

/** OBJECT IDENTIFIER, `1.2.840.10045.4.3.2`. */
export const oid = (dotted: string): Buffer => {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const inBase128 = (value: number): readonly number[] => {
    const digits = [value % 128];
    for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128))
      digits.unshift(128 + (left % 128));
    return digits;
  };
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(inBase128)]));
};

/** Time of a certificate: UTCTime until 2049, GeneralizedTime after (RFC 5280 §4.1.2.5), whole seconds. */
export const time = (date: Date): Buffer => {
  const digits = date.toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return date.getUTCFullYear() < 2050 ? tagged(0x17, Buffer.from(digits.slice(2))) : tagged(0x18, Buffer.from(digits));
};
