/** pkt-line framing, the envelope of every git wire message (gitprotocol-common): four hex digits of length, then the payload. */

/** One frame: a line of payload or one of the three marks of protocol v2. */
export type Packet =
  | { readonly kind: 'data'; readonly payload: Buffer }
  | { readonly kind: 'delimiter' }
  | { readonly kind: 'flush' }
  | { readonly kind: 'response-end' };

/** Longest frame git may send, its four length digits included. */
export const MAX_PACKET_BYTES = 65_520;

/** Bytes that are not pkt-lines, or more of them than the reader was willing to take. */
export class PacketError extends Error {
  override readonly name: string = 'PacketError';
}

/** The stream stopped before its message did: a connection that broke, where other PacketErrors are a host that is not git. */
export class TruncatedError extends PacketError {
  override readonly name = 'TruncatedError';
}

const lengthDigits = 4;

const MARKS = { '0000': 'flush', '0001': 'delimiter', '0002': 'response-end' } as const;
const isMark = (text: string): text is keyof typeof MARKS => Object.hasOwn(MARKS, text);

/** Frames one packet. RangeError when the payload does not fit a frame. */
export const writePacket = (packet: Packet): Buffer => {
  if (packet.kind !== 'data') {
    return Buffer.from(packet.kind === 'flush' ? '0000' : packet.kind === 'delimiter' ? '0001' : '0002');
  }
  const length = packet.payload.length + 4;
  if (length > MAX_PACKET_BYTES) throw new RangeError(`pkt-line of ${length} bytes exceeds ${MAX_PACKET_BYTES}`);
  return Buffer.concat([Buffer.from(length.toString(16).padStart(4, '0')), packet.payload]);
};

/** A data packet of one text line, ended by a newline as git does. */
export const linePacket = (text: string): Packet => ({ kind: 'data', payload: Buffer.from(`${text}\n`) });

/** The text of a data packet without its closing newline. */
export const lineOf = (payload: Buffer): string => payload.toString('utf8').replace(/\n$/u, '');

interface Cut {
  readonly packet: Packet;
  readonly size: number;
}

/** The first packet of the buffer, or nothing while it is not complete. */
const cutPacket = (buffer: Buffer): Cut | undefined => {
  if (buffer.length < 4) return undefined;
  const head = buffer.toString('latin1', 0, 4);
  if (!/^[0-9a-fA-F]{4}$/u.test(head)) throw new PacketError('not a pkt-line: the length is not four hex digits');
  if (isMark(head)) return { packet: { kind: MARKS[head] }, size: 4 };
  const size = Number.parseInt(head, 16);
  if (size < 4 || size > MAX_PACKET_BYTES) throw new PacketError(`not a pkt-line: length ${size} is out of range`);
  if (buffer.length < size) return undefined;
  return { packet: { kind: 'data', payload: buffer.subarray(4, size) }, size };
};

/** Bytes without which the packet that begins here cannot be whole. */
const neededFor = (rest: Buffer): number =>
  rest.length < lengthDigits ? lengthDigits : Number.parseInt(rest.toString('latin1', 0, lengthDigits), 16);

/**
 * Packets of a byte stream, however it is chunked. Fails with PacketError on bytes that are no pkt-line and as soon as more than
 * `maxBytes` have come, with TruncatedError on a stream that ends inside a packet.
 */
export async function* readPackets(
  chunks: AsyncIterable<Uint8Array>,
  { maxBytes }: { readonly maxBytes: number },
): AsyncGenerator<Packet, void, undefined> {
  // Put together only when a packet may be whole: a stream that comes byte by byte would be copied whole for each.
  let waiting: Uint8Array[] = [];
  let [held, needed, seen] = [0, lengthDigits, 0];
  for await (const chunk of chunks) {
    seen += chunk.length;
    if (seen > maxBytes) throw new PacketError(`the answer is larger than ${maxBytes} bytes`);
    waiting.push(chunk);
    held += chunk.length;
    if (held < needed) continue;
    let rest = Buffer.concat(waiting, held);
    for (let cut = cutPacket(rest); cut !== undefined; cut = cutPacket(rest)) {
      yield cut.packet;
      rest = rest.subarray(cut.size);
    }
    [waiting, held, needed] = [[rest], rest.length, neededFor(rest)];
  }
  if (held > 0) throw new TruncatedError('the answer ends in the middle of a pkt-line');
}
