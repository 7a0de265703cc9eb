/** Values as ssh packs them (RFC 4251 §5), and the fault that everybody who reads a key raises. */

/** Why a key cannot be used: the rest of a sentence that begins with where it lies. Never quotes the key. */
export class KeyFault extends Error {
  override readonly name = 'KeyFault';
}

/** The bytes are not what the format says. */
export const damaged = (): KeyFault =>
  new KeyFault('is damaged: part of it is missing or changed; put the key there once more');

/** Reads packed values one after another. Every method throws KeyFault when there is too little left. */
export interface WireReader {
  readonly uint32: () => number;
  readonly take: (size: number) => Buffer;
  /** A string: four bytes of length, then so many bytes. */
  readonly string: () => Buffer;
  readonly text: () => string;
  /** A positive number, big-endian, without leading zeros. */
  readonly number: () => Buffer;
  readonly rest: () => Buffer;
}

/** A number without leading zeros. */
export const withoutZeros = (number: Buffer): Buffer => {
  const first = number.findIndex((byte) => byte !== 0);
  return first < 0 ? Buffer.alloc(0) : number.subarray(first);
};

/** Reader of `bytes` from their beginning. */
export const wireReader = (bytes: Buffer): WireReader => {
  let at = 0;
  const take = (size: number): Buffer => {
    if (size > bytes.length - at) throw damaged();
    at += size;
    return bytes.subarray(at - size, at);
  };
  const uint32 = (): number => take(4).readUInt32BE();
  const string = (): Buffer => take(uint32());
  return {
    take,
    uint32,
    string,
    text: () => string().toString('latin1'),
    number: () => withoutZeros(string()),
    rest: () => bytes.subarray(at),
  };
};

/** A number of 32 bits. */
export const packedUint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

/** A string with its length. */
export const packed = (value: Buffer | string): Buffer => {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'latin1') : value;
  return Buffer.concat([packedUint32(bytes.length), bytes]);
};

/** A positive number as `mpint`: a zero before a first bit that is set, so that it does not count as negative. */
export const packedNumber = (number: Buffer): Buffer => {
  const bare = withoutZeros(number);
  return packed((bare[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), bare]) : bare);
};
