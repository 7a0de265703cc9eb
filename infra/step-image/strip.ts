/**
 * Takes symbols and debug data off a program: 18 MB of Node's 127. Done here and not by binutils, which knows only the machine it runs
 * on and whose versions give different bytes.
 */
import { copyFile, open } from 'node:fs/promises';
import { PermanentError } from '../../lib/errors/expected.ts';

const headBytes = 64;
const segmentBytes = 56;
const loaded = 1;

const at = { segments: 0x20, sections: 0x28, segmentSize: 0x36, segmentCount: 0x38, sectionCount: 0x3c, names: 0x3e };

/** Machine of a program or library by its first bytes (`e_machine`); undefined when it is none of 64 bits, little end first. */
export const machineOf = (head: Buffer): number | undefined =>
  head.length >= headBytes && head.toString('latin1', 0, 6) === '\x7fELF\x02\x01' ? head.readUInt16LE(0x12) : undefined;

/**
 * Copies a program without what comes after the part that is loaded, and without the table that describes it: nothing that runs reads
 * either. @throws PermanentError when it is no program
 */
export const stripped = async (from: string, to: string): Promise<void> => {
  await copyFile(from, to);
  await using file = await open(to, 'r+');
  const head = Buffer.alloc(headBytes);
  await file.read(head, 0, headBytes, 0);
  const count = head.readUInt16LE(at.segmentCount);
  if (machineOf(head) === undefined || head.readUInt16LE(at.segmentSize) !== segmentBytes)
    throw new PermanentError('NoProgram', `${from} is no program of 64 bits`);
  const table = Buffer.alloc(count * segmentBytes);
  await file.read(table, 0, table.length, Number(head.readBigUInt64LE(at.segments)));
  const ends = Array.from({ length: count }, (_, n) => table.subarray(n * segmentBytes, (n + 1) * segmentBytes))
    .filter((segment) => segment.readUInt32LE(0) === loaded)
    .map((segment) => Number(segment.readBigUInt64LE(0x08) + segment.readBigUInt64LE(0x20)));
  head.writeBigUInt64LE(0n, at.sections);
  head.writeUInt16LE(0, at.sectionCount);
  head.writeUInt16LE(0, at.names);
  await file.write(head, 0, headBytes, 0);
  await file.truncate(Math.max(...ends));
};
