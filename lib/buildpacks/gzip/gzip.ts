/**
 * gzip (RFC 1952) with the very bytes Go's compress/gzip makes at its fastest level. kpack compresses its own builder layers so;
 * no setting of zlib yields these bytes, and a builder has kpack's digest only with them (spec 04 §8.5). For small layers:
 * a few kilobytes, not streams.
 */
import { crc32 } from 'node:zlib';
import { bitWriter } from './bit-writer.ts';
import { storedBlock, tokenBlock } from './blocks.ts';
import { matcher } from './matches.ts';

/** The most a block takes. */
const blockBytes = 65535;

const deflate = (content: Uint8Array): Uint8Array => {
  const out = bitWriter();
  const { tokens } = matcher();
  for (let start = 0; start < content.length; start += blockBytes) {
    const block = content.subarray(start, start + blockBytes);
    if (block.length <= 16) storedBlock(out, block, false);
    else if (block.length < 128) tokenBlock(out, block, [...block]);
    else {
      const found = tokens(block);
      // Hardly anything repeats: not worth the repetitions' own codes.
      tokenBlock(out, block, found.length > block.length - (block.length >> 4) ? [...block] : found);
    }
  }
  storedBlock(out, new Uint8Array(0), true);
  return out.finish();
};

/** Deterministic: no time, no name, "fastest" and "unknown system" in the header. */
export const gzip = (content: Uint8Array): Uint8Array => {
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(content), 0);
  trailer.writeUInt32LE(content.length % 2 ** 32, 4);
  return Buffer.concat([Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 0xff), deflate(content), trailer]);
};
