/** Circuits: one outage is one failure, one probe at a time, and an answer of any kind closes them (DESIGN §3.14). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Circuits, openSeconds } from '../../../lib/state/circuits.ts';
import { circuitKey, circuitSortKey, clusterScope, dueShardOf, hostScope } from '../../../lib/state/keys.ts';
import type { Table } from '../../../lib/state/table.ts';
import { type StateTables, stateTables } from '../../support/state-table.ts';

const one = clusterScope('one');
let tables: StateTables;
beforeAll(async () => {
  tables = await stateTables();
});
afterAll(() => tables[Symbol.asyncDispose]());

/** Two function instances and the one table they share. */
const two = async (): Promise<readonly [Circuits, Circuits]> => {
  const table = await tables.empty();
  return [new Circuits(table), new Circuits(table)];
};

describe('a circuit', () => {
  it('is closed for whom nobody has complained about', async () => {
    const [circuits] = await two();
    expect(await circuits.admit(one, 100)).toStrictEqual({ admitted: true });
  });

  it('opens for everybody, five seconds later at most', async () => {
    const [here, there] = await two();
    await there.admit(one, 100);
    await here.failed(one, 100);
    expect(await here.admit(one, 101)).toStrictEqual({ admitted: false, until: 102 });
    expect(await there.admit(one, 104)).toStrictEqual({ admitted: true });
    await here.failed(one, 104, 60);
    expect(await there.admit(one, 109)).toMatchObject({ admitted: false });
  });

  it('fifty calls that fail at once are one failure: it does not stay open for minutes', async () => {
    const [circuits] = await two();
    await circuits.admit(one, 100);
    for (let call = 0; call < 50; call += 1) await circuits.failed(one, 100);
    expect(await circuits.admit(one, 101)).toStrictEqual({ admitted: false, until: 102 });
  });

  it('a call that was under way can only make it wait for longer, as the other side asks', async () => {
    const [circuits] = await two();
    await circuits.failed(one, 100, 40);
    await circuits.failed(one, 101);
    expect(await circuits.admit(one, 102)).toStrictEqual({ admitted: false, until: 140 });
    await circuits.failed(one, 102, 90);
    expect(await circuits.admit(one, 103)).toStrictEqual({ admitted: false, until: 192 });
  });

  it('lets one probe through when its time is over, of all instances', async () => {
    const [here, there] = await two();
    await here.failed(one, 100);
    await there.admit(one, 100);
    const answers = await Promise.all([here.admit(one, 106), there.admit(one, 106), here.admit(one, 106)]);
    expect(answers.filter(({ admitted }) => admitted)).toHaveLength(1);
  });

  it('whoever comes beside a probe looks again soon, as the probe mostly is over then', async () => {
    const [here, there] = await two();
    await here.failed(one, 100);
    expect(await here.admit(one, 106)).toStrictEqual({ admitted: true });
    expect(await here.admit(one, 106)).toStrictEqual({ admitted: false, until: 109 });
    expect(await there.admit(one, 107)).toStrictEqual({ admitted: false, until: 110 });
    await here.succeeded(one, 107);
    expect(await there.admit(one, 112)).toStrictEqual({ admitted: true });
  });

  it('a probe that fails opens it for half as long again, even when it took longer than the cache holds', async () => {
    const [circuits] = await two();
    await circuits.failed(one, 100);
    await circuits.admit(one, 106);
    await circuits.admit(one, 113);
    await circuits.failed(one, 116);
    expect(await circuits.admit(one, 117)).toStrictEqual({ admitted: false, until: 119 });
  });

  it('a probe that fails counts although others asked in the same moment', async () => {
    const [circuits] = await two();
    await circuits.failed(one, 100);
    const asked = await Promise.all([1, 2, 3].map(() => circuits.admit(one, 106)));
    expect(asked.filter(({ admitted }) => admitted)).toHaveLength(1);
    await circuits.failed(one, 107);
    expect(await circuits.admit(one, 108)).toStrictEqual({ admitted: false, until: 110 });
  });

  it('a probe that dies is replaced after half a minute', async () => {
    const [circuits] = await two();
    await circuits.failed(one, 100);
    expect(await circuits.admit(one, 106)).toStrictEqual({ admitted: true });
    expect(await circuits.admit(one, 135)).toMatchObject({ admitted: false });
    expect(await circuits.admit(one, 137)).toStrictEqual({ admitted: true });
  });

  it('closes at an answer, and forgets', async () => {
    const [here, there] = await two();
    await here.failed(one, 100);
    await here.admit(one, 106);
    await here.succeeded(one, 107);
    expect(await there.admit(one, 107)).toStrictEqual({ admitted: true });
    await here.failed(one, 200);
    expect(await here.admit(one, 201)).toStrictEqual({ admitted: false, until: 202 });
  });

  it.each([
    [1, 0, 2],
    [2, 0, 3],
    [5, 0, 11],
    [14, 0, 300],
    [5000, 0, 300],
    [1, 60, 60],
    [1, 9999, 300],
  ])('after %i failures, asked to wait %i s, it is open for %i s', (failures, retryAfter, expected) => {
    expect(openSeconds(failures, retryAfter)).toBe(expected);
  });

  it('an outage of up to 15 s is found over within 8 s, one of an hour by no more than thirty probes', () => {
    const probesAt = (until: number): readonly number[] => {
      const at = [0];
      while ((at.at(-1) ?? 0) < until) at.push((at.at(-1) ?? 0) + openSeconds(at.length));
      return at;
    };
    const lates = Array.from({ length: 16 }, (_, outage) => (probesAt(outage).at(-1) ?? 0) - outage);
    expect(Math.max(...lates)).toBeLessThanOrEqual(8);
    expect(probesAt(3600).length).toBeLessThanOrEqual(30);
  });

  it('that somebody else has seen answered is closed for all, and says until when others are parked behind it, unless they have been woken', async () => {
    const [relay, handler] = await two();
    await handler.failed(one, 100, 300);
    expect(await relay.close(one, 110)).toBe(405);
    expect(await relay.close(one, 111)).toBe(405);
    await relay.woken(one, 405);
    expect(await relay.close(one, 112)).toBeUndefined();
    expect(await handler.admit(one, 110)).toStrictEqual({ admitted: true });
  });

  it('remembers that passes back off for as long as they may, with one write each ten seconds, until they have been woken', async () => {
    const [relay, handler] = await two();
    expect(await relay.backingOffUntil(one, 100)).toBeUndefined();
    for (const now of [100, 105, 109]) await handler.leftBackingOff(one, now);
    expect(await relay.backingOffUntil(one, 110)).toBe(700);
    await handler.leftBackingOff(one, 110);
    expect(await relay.backingOffUntil(one, 709)).toBe(710);
    expect(await relay.backingOffUntil(one, 710)).toBeUndefined();
    // Another has failed since: it is to be woken too.
    await relay.backedOffWoken(one, 700);
    expect(await relay.backingOffUntil(one, 111)).toBe(710);
    await relay.backedOffWoken(one, 710);
    expect(await relay.backingOffUntil(one, 111)).toBeUndefined();
  });

  it('whose probe is not used after all lets the next caller probe at once', async () => {
    const [here, there] = await two();
    await here.failed(one, 100);
    expect(await here.admit(one, 106)).toStrictEqual({ admitted: true });
    await here.unused(one, 106);
    expect(await there.admit(one, 106)).toStrictEqual({ admitted: true });
  });

  it('that the process has forgotten among many is read anew, and counts and closes as ever', async () => {
    const table = await tables.empty();
    const circuits = new Circuits(table, { mostScopes: 2 });
    const others = ['a', 'b', 'c'].map(clusterScope);
    await circuits.failed(one, 100);
    for (const other of others) await circuits.admit(other, 100);
    expect(await circuits.admit(one, 101)).toStrictEqual({ admitted: false, until: 102 });
    expect(await circuits.admit(one, 102)).toStrictEqual({ admitted: true });
    for (const other of others) await circuits.admit(other, 102);
    await circuits.succeeded(one, 103);
    expect(await new Circuits(table).admit(one, 103)).toStrictEqual({ admitted: true });
  });

  it('of a host is kept for a day after it was last open, then the store may drop it; it is due at no time', async () => {
    const table = await tables.empty();
    const host = (name: string) => hostScope({ scheme: 'https', host: name, port: 443 });
    await new Circuits(table).failed(host('one'), 100);
    await new Circuits(table).suspect(host('other'), 'witness', 100);
    const item = await table.get(circuitKey(host('one')), circuitSortKey);
    expect(item).toMatchObject({ openUntil: 102, endsAt: 86_502 });
    expect(item).not.toHaveProperty('dueAt');
    expect(await table.get(circuitKey(host('other')), circuitSortKey)).toMatchObject({ endsAt: 86_500 });
  });
});

describe('the circuit of a cluster', () => {
  const item = (table: Table) => table.get(circuitKey(one), circuitSortKey);

  it('is due when it is to be probed, and never dropped while somebody may be parked behind it', async () => {
    const table = await tables.empty();
    const circuits = new Circuits(table);
    await circuits.failed(one, 100);
    expect(await item(table)).toMatchObject({ openUntil: 102, dueAt: 102, dueShard: dueShardOf(circuitKey(one)) });
    // A probe that dies is made good when its time is over.
    await circuits.admit(one, 102);
    expect(await item(table)).toMatchObject({ dueAt: 132 });
    await circuits.failed(one, 103);
    expect(await item(table)).toMatchObject({ openUntil: 106, dueAt: 106 });
    expect(await item(table)).not.toHaveProperty('endsAt');
  });

  it('that has closed is due at once, to wake them; and once more when all were, before nothing is left of it', async () => {
    const table = await tables.empty();
    const circuits = new Circuits(table);
    await circuits.failed(one, 100);
    await circuits.succeeded(one, 110);
    expect(await item(table)).toMatchObject({ dueAt: 111 });
    expect([await circuits.allWoken(one, 120), await circuits.allWoken(one, 200)]).toStrictEqual([false, false]);
    expect(await item(table)).toMatchObject({ dueAt: 240 });
    expect(await circuits.allWoken(one, 240)).toBe(true);
    expect(await item(table)).toBeUndefined();
    expect(await circuits.allWoken(one, 241)).toBe(true);
  });

  it('that opens again meanwhile stays', async () => {
    const table = await tables.empty();
    const [here, there] = [new Circuits(table), new Circuits(table)];
    await here.failed(one, 100);
    await here.succeeded(one, 110);
    await here.allWoken(one, 120);
    await there.failed(one, 200);
    expect(await here.allWoken(one, 300)).toBe(true);
    expect(await item(table)).toMatchObject({ openUntil: 202, dueAt: 202 });
  });

  it('says that it is down for as long as nobody has found it back, and lets nobody probe by that', async () => {
    const [here, there] = await two();
    expect(await here.isDown(one, 100)).toBe(false);
    await there.failed(one, 100);
    expect(await here.isDown(one, 106)).toBe(true);
    expect(await there.admit(one, 200)).toStrictEqual({ admitted: true });
    await there.succeeded(one, 201);
    expect(await here.isDown(one, 202)).toBe(false);
  });
});
