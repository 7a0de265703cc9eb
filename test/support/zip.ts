/** Writes small zip files for tests, byte by byte, so that tests can also write wrong ones (APPNOTE 6.3.10). */
import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipMember {
  readonly name: string;
  readonly content: string;
  /** Upper byte of "version made by": 3 is Unix, 0 is FAT. */
  readonly maker?: number;
  readonly mode?: number;
  /** 0 stores, 8 deflates; others are only said. */
  readonly method?: number;
  /** Instead of the name's UTF-8, which no flag tells. */
  readonly nameBytes?: Buffer;
  /** Bit 11 says that the name is UTF-8, bit 0 that the entry is encrypted. */
  readonly flags?: number;
  /** Instead of the mode: of MS-DOS in the lower byte. */
  readonly attributes?: number;
  /** Extra fields in the table of contents. */
  readonly extra?: Buffer;
}

/** What is around and beside the entries. */
export interface ZipOptions {
  readonly before?: Buffer;
  readonly behind?: Buffer;
  readonly comment?: string;
  /** Entries that the end says there are. */
  readonly count?: number;
}

/** One extra field. */
export const extraField = (id: number, content: Buffer): Buffer => {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(id, 0);
  head.writeUInt16LE(content.length, 2);
  return Buffer.concat([head, content]);
};

/** The field for a name in Unicode, made for the bytes of another (APPNOTE §4.6.9). */
export const unicodePath = (name: string, madeFor: Buffer): Buffer => {
  const head = Buffer.alloc(5);
  head[0] = 1;
  head.writeUInt32LE(crc32(madeFor), 1);
  return extraField(0x7075, Buffer.concat([head, Buffer.from(name)]));
};

/** The archive of these members, in order. */
export const zipOf = (members: readonly ZipMember[], options: ZipOptions = {}): Buffer => {
  const { before = Buffer.alloc(0), behind = Buffer.alloc(0), comment = '', count = members.length } = options;
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const member of members) {
    const { name, content, maker = 3, mode = 0o100644, method = 8, flags = 0, extra = Buffer.alloc(0) } = member;
    const { nameBytes = Buffer.from(name), attributes = (mode << 16) >>> 0 } = member;
    const data = Buffer.from(content);
    const packed = method === 8 ? deflateRawSync(data) : data;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(flags, 2);
    common.writeUInt16LE(method, 4);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(nameBytes.length, 22);
    const local = Buffer.concat([Buffer.from('PK\u0003\u0004'), common, nameBytes, packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(attributes, 6);
    tail.writeUInt32LE(offset, 10);
    const central = Buffer.from(common);
    central.writeUInt16LE(extra.length, 24);
    const head = Buffer.from([0x50, 0x4b, 1, 2, 20, maker]);
    centrals.push(Buffer.concat([head, central, tail, nameBytes, extra]));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.write('PK\u0005\u0006', 0, 'latin1');
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([before, ...locals, directory, end, Buffer.from(comment, 'latin1'), behind]);
};
