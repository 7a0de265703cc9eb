/** After an outage of a cluster: what was parked must not wait for the next sweep, and nobody is woken who did not wait. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { comeBack } from '../../../lib/dependents/come-back.ts';
import type { Message } from '../../../lib/queue/message.ts';
import { Circuits, openFreshSeconds } from '../../../lib/state/circuits.ts';
import { clusterScope } from '../../../lib/state/keys.ts';
import { Records } from '../../../lib/state/records.ts';
import { type StateTables, stateTables } from '../../support/state-table.ts';

let tables: StateTables;
beforeAll(async () => {
  tables = await stateTables();
});
afterAll(() => tables[Symbol.asyncDispose]());

const app = { cluster: 'one', kind: 'Image', namespace: 'team', name: 'app' };

/** A cluster whose functions and relay share a table; each pause moves the clock. */
const begin = async () => {
  const table = await tables.empty();
  let now = 1000;
  const sent: Message[] = [];
  const functions = new Circuits(table);
  const records = new Records(table);
  const relay = {
    circuits: new Circuits(table),
    records,
    sender: { send: async (_queue: string, messages: readonly Message[]) => void sent.push(...messages) },
    clock: () => new Date(now * 1000),
    pause: async (milliseconds: number) => {
      now += milliseconds / 1000;
    },
  };
  return { functions, records, relay, sent, now: () => now };
};

describe('a cluster that is back', () => {
  it('wakes what was parked while its circuit was open, when no function believes in the open circuit any more', async () => {
    const { functions, records, relay, sent, now } = await begin();
    await functions.failed(clusterScope('one'), 1000, 300);
    expect(await functions.admit(clusterScope('one'), 1000)).toStrictEqual({ admitted: false, until: 1300 });
    await records.parkBehindCluster(app, 'first', 1000);
    expect(await comeBack(relay, 'one')).toStrictEqual({ woken: 1, areAll: true });
    expect(sent.map(({ reason, target }) => `${reason} ${target.name}`)).toStrictEqual(['due app']);
    expect(now()).toBeGreaterThan(1000 + openFreshSeconds);
    expect(await functions.admit(clusterScope('one'), now())).toStrictEqual({ admitted: true });
  });

  it('wakes them too when a probe was answered just before a watch found it back: they are no longer on their own', async () => {
    const { functions, records, relay, sent } = await begin();
    await functions.failed(clusterScope('one'), 700, 300);
    await records.parkBehindCluster(app, 'first', 1000);
    expect(await functions.admit(clusterScope('one'), 1000)).toStrictEqual({ admitted: true });
    await functions.succeeded(clusterScope('one'), 1000);
    expect(await comeBack(relay, 'one')).toStrictEqual({ woken: 1, areAll: true });
    expect(sent).toHaveLength(1);
  });

  it('wakes them once, however many watches tell of it', async () => {
    const { functions, records, relay, sent } = await begin();
    await functions.failed(clusterScope('one'), 1000, 300);
    await records.parkBehindCluster(app, 'later', 1000);
    for (let watch = 0; watch < 13; watch += 1) await comeBack(relay, 'one');
    expect(sent).toHaveLength(1);
  });

  it('wakes them again when whoever did it died before he had finished', async () => {
    const { functions, records, relay, sent } = await begin();
    await functions.failed(clusterScope('one'), 1000, 300);
    await records.parkBehindCluster(app, 'later', 1000);
    const dying = { ...relay, sender: { send: () => Promise.reject(new Error('the process ended')) } };
    await expect(comeBack(dying, 'one')).rejects.toThrow('ended');
    expect(await comeBack(relay, 'one')).toStrictEqual({ woken: 1, areAll: true });
    expect(sent).toHaveLength(1);
  });

  it('wakes nobody when only a watch was interrupted: every break of a connection would wake the whole fleet', async () => {
    const { records, relay, sent } = await begin();
    await records.park(app, 1300);
    expect(await comeBack(relay, 'one')).toStrictEqual({ woken: 0, areAll: true });
    expect(sent).toStrictEqual([]);
  });
});
