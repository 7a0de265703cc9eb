import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  lineOf,
  linePacket,
  MAX_PACKET_BYTES,
  type Packet,
  PacketError,
  readPackets,
  TruncatedError,
  writePacket,
} from '../../../lib/git/pkt-line.ts';

async function* inChunks(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (let turn = 0; at < bytes.length; turn += 1) {
    const size = Math.max(1, sizes[turn % Math.max(sizes.length, 1)] ?? bytes.length);
    yield await Promise.resolve(bytes.subarray(at, at + size));
    at += size;
  }
}

const readAll = (bytes: Buffer, sizes: readonly number[] = [], maxBytes = 1_000_000): Promise<readonly Packet[]> =>
  Array.fromAsync(readPackets(inChunks(bytes, sizes), { maxBytes }));

const packets = fc.array(
  fc.oneof(
    fc.constantFrom<Packet>({ kind: 'flush' }, { kind: 'delimiter' }, { kind: 'response-end' }),
    fc.uint8Array({ maxLength: 300 }).map((bytes): Packet => ({ kind: 'data', payload: Buffer.from(bytes) })),
  ),
  { maxLength: 12 },
);

describe('pkt-line', () => {
  it('gives back what was written, however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(packets, fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 5 }), async (written, sizes) => {
        expect(await readAll(Buffer.concat(written.map(writePacket)), sizes)).toEqual(written);
      }),
    );
  });

  it('takes any bytes without failing otherwise than with a PacketError', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        const outcome = await readAll(Buffer.from(bytes)).catch((error: unknown) => error);
        expect(Array.isArray(outcome) || outcome instanceof PacketError).toBe(true);
      }),
    );
  });

  it('writes the examples of the protocol description', () => {
    expect(writePacket(linePacket('a')).toString()).toBe('0006a\n');
    expect(writePacket({ kind: 'data', payload: Buffer.from('foobar\n') }).toString()).toBe('000bfoobar\n');
    expect(writePacket({ kind: 'data', payload: Buffer.alloc(0) }).toString()).toBe('0004');
    expect(writePacket({ kind: 'response-end' }).toString()).toBe('0002');
  });

  it('drops the closing newline of a line and nothing else', () => {
    expect(lineOf(Buffer.from('a\n'))).toBe('a');
    expect(lineOf(Buffer.from('a\n\n'))).toBe('a\n');
  });

  it('refuses a payload that does not fit', () => {
    expect(() => writePacket({ kind: 'data', payload: Buffer.alloc(MAX_PACKET_BYTES - 3) })).toThrow(RangeError);
    expect(writePacket({ kind: 'data', payload: Buffer.alloc(MAX_PACKET_BYTES - 4) })).toHaveLength(MAX_PACKET_BYTES);
  });

  it.each([
    ['a web page', '<html>'],
    ['a length below four', '0003'],
    ['a length above the limit', 'ffff'],
  ])('refuses %s', async (_, text) => {
    await expect(readAll(Buffer.from(text))).rejects.toBeInstanceOf(PacketError);
  });

  it('tells a broken connection from a host that is not git', async () => {
    await expect(readAll(Buffer.from('0009ab'))).rejects.toBeInstanceOf(TruncatedError);
    await expect(readAll(Buffer.from('00'))).rejects.toBeInstanceOf(TruncatedError);
  });

  it('stops as soon as more came than it was to take', async () => {
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      for (;;) yield await Promise.resolve(Buffer.from('0000'));
    };
    await expect(Array.fromAsync(readPackets(endless(), { maxBytes: 100 }))).rejects.toThrow(/larger than 100 bytes/);
  });
});
