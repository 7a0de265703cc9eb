import { describe, expect, it } from 'vitest';
import { Room } from '../../../lib/conversion/room.ts';

const never = new AbortController().signal;
/** Takes room and notes its name when it has it. */
const taking = (room: Room, entered: string[], name: string, bytes: number, signal = never) =>
  room.take(bytes, signal).then((leave) => {
    entered.push(name);
    return leave;
  });

describe('room for what is in flight', () => {
  it('is taken in order of coming, by as many as fit', async () => {
    const room = new Room(10);
    const entered: string[] = [];
    const [leaveA, , c, d] = [
      await taking(room, entered, 'a', 6),
      await taking(room, entered, 'b', 4),
      taking(room, entered, 'c', 5),
      taking(room, entered, 'd', 1),
    ];
    await Promise.resolve();
    expect(entered).toEqual(['a', 'b']);
    leaveA();
    await Promise.all([c, d]);
    expect(entered).toEqual(['a', 'b', 'c', 'd']);
  });

  it('is given back once, however often it is given back', async () => {
    const room = new Room(10);
    const entered: string[] = [];
    const leave = await taking(room, entered, 'a', 10);
    leave();
    leave();
    await taking(room, entered, 'b', 10);
    void taking(room, entered, 'c', 1).catch(() => undefined);
    await Promise.resolve();
    expect(entered).toEqual(['a', 'b']);
  });

  it('is not waited for longer than one may, and who gives up keeps nobody out', async () => {
    const room = new Room(10);
    const entered: string[] = [];
    const leave = await taking(room, entered, 'a', 8);
    const tired = new AbortController();
    const big = taking(room, entered, 'big', 10, tired.signal);
    const small = taking(room, entered, 'small', 2);
    tired.abort(new Error('tired'));
    await expect(big).rejects.toThrow('tired');
    await small;
    expect(entered).toEqual(['a', 'small']);
    leave();
    await expect(room.take(1, tired.signal)).rejects.toThrow('tired');
  });
});
