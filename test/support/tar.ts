/** Writes tar archives for tests block by block, so that tests can also write what careless and wrong makers write. */

/** One header and what follows it. Texts are bytes: a character for each. */
export interface TarMember {
  readonly name: string;
  readonly body?: string;
  /** One character; a file unless given. */
  readonly type?: string;
  readonly linkName?: string;
  readonly mode?: number | string;
  /** Instead of the length of the body: a number, or the field as it is. */
  readonly size?: number | string;
  /** As the field is. */
  readonly mtime?: string;
  /** Magic and version, 8 characters; POSIX unless given. */
  readonly magic?: string;
  readonly prefix?: string;
  /** Fields of some dialects: offset in the header → bytes. */
  readonly fields?: Readonly<Record<number, string>>;
  /** How the checksum is made. */
  readonly sum?: 'unsigned' | 'signed';
  /** Blocks between the header and the body. */
  readonly behindHeader?: Buffer;
}

export const gnuMagic = 'ustar  \0';
export const v7Magic = '\0'.repeat(8);

/** An octal field. */
export const octal = (value: number, length: number): string => `${value.toString(8).padStart(length - 1, '0')}\0`;

/** A base-256 field, negative values too. */
export const base256 = (value: bigint, length: number): string => {
  const bits = BigInt.asUintN(length * 8, value < 0n ? value : value | (0x80n << BigInt(8 * (length - 1))));
  return Buffer.from(bits.toString(16).padStart(length * 2, '0'), 'hex').toString('latin1');
};

/** So that its length is a multiple of a block's. */
export const padded = (bytes: Buffer): Buffer =>
  Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);

/** The header block alone. */
export const tarHeader = ({
  name,
  body = '',
  type = '0',
  linkName = '',
  mode = 0o644,
  size = body.length,
  mtime = octal(0, 12),
  magic = 'ustar\x0000',
  prefix = '',
  fields = {},
  sum = 'unsigned',
}: TarMember): Buffer => {
  const block = Buffer.alloc(512);
  block.write(name, 0, 100, 'latin1');
  block.write(typeof mode === 'string' ? mode : octal(mode, 8), 100, 8, 'latin1');
  block.write(typeof size === 'string' ? size : octal(size, 12), 124, 12, 'latin1');
  block.write(mtime, 136, 12, 'latin1');
  block.write(' '.repeat(8), 148, 'latin1');
  block.write(type, 156, 1, 'latin1');
  block.write(linkName, 157, 100, 'latin1');
  block.write(magic, 257, 8, 'latin1');
  block.write(prefix, 345, 155, 'latin1');
  for (const [at, text] of Object.entries(fields)) block.write(text, Number(at), 'latin1');
  const signed = sum === 'signed' ? 0x80 : 0x100;
  const total = block.reduce((added, byte) => added + (byte < signed ? byte : byte - 0x100), 0);
  block.write(`${octal(total, 7)} `, 148, 8, 'latin1');
  return block;
};

/** Header and content of one member. */
export const tarMember = (member: TarMember): Buffer =>
  Buffer.concat([
    tarHeader(member),
    member.behindHeader ?? Buffer.alloc(0),
    padded(Buffer.from(member.body ?? '', 'latin1')),
  ]);

/** The two blocks of zeros that end an archive. */
export const tarEnd = Buffer.alloc(1024);

/** The members with the end behind them. */
export const rawTar = (members: readonly TarMember[], end: Buffer = tarEnd): Buffer =>
  Buffer.concat([...members.map(tarMember), end]);

/** An extended header with these records; those of one key may come several times. */
export const paxHeader = (
  records: readonly (readonly [key: string, value: string])[],
  type: 'x' | 'g' = 'x',
): TarMember => ({
  name: 'PaxHeaders/x',
  type,
  body: records.map(paxRecord).join(''),
});

const paxRecord = ([key, value]: readonly [string, string]): string => {
  const rest = ` ${key}=${value}\n`;
  const length = [1, 2, 3, 4, 5]
    .map((digits) => rest.length + digits)
    .find((all, index) => String(all).length === index + 1);
  return `${length}${rest}`;
};
