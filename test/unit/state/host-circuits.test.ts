import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../lib/embedded/database.ts';
import { sqliteTable } from '../../../lib/embedded/sqlite-table.ts';
import { HostCircuits } from '../../../lib/state/host-circuits.ts';
import { circuitKey, hostScope } from '../../../lib/state/keys.ts';
import type { Table } from '../../../lib/state/table.ts';

const host = hostScope({ scheme: 'https', host: 'github.com', port: 443 });
const tenant = (namespace: string) => ({ cluster: 'one', namespace });
const admitted = { admitted: true };

let database: ReturnType<typeof openDatabase>;
let table: Table;
/** How often the circuit of everybody was read. */
let looks: number;
beforeEach(() => {
  database = openDatabase();
  looks = 0;
  const plain = sqliteTable(database);
  table = {
    ...plain,
    get: (pk, sk) => {
      if (pk === circuitKey(host)) looks += 1;
      return plain.get(pk, sk);
    },
  };
});
afterEach(() => database.close());

describe('the circuit of a host that many tenants ask', () => {
  it('is read once in five seconds for all of them while the host is well, also when they come at once', async () => {
    const hosts = new HostCircuits(table);
    const tenants = Array.from({ length: 20 }, (_, at) => tenant(`team-${at}`));
    const asked = await Promise.all(tenants.map((one) => hosts.admit(host, one, 100)));
    expect(asked).toEqual(tenants.map(() => admitted));
    for (const one of tenants) await hosts.succeeded(host, one, 100);
    expect(await hosts.admit(host, tenant('another'), 104)).toEqual(admitted);
    expect(looks).toBe(1);
    await hosts.admit(host, tenant('another'), 105);
    expect(looks).toBe(2);
  });

  it('is read anew at once when somebody of this process hears nothing', async () => {
    const hosts = new HostCircuits(table);
    expect(await hosts.admit(host, tenant('d'), 100)).toEqual(admitted);
    for (const name of ['a', 'b', 'c']) await hosts.failed(host, tenant(name), 101);
    expect(await hosts.admit(host, tenant('e'), 101)).toMatchObject({ admitted: false });
  });

  it('is heard of after five seconds when others have opened it', async () => {
    const [here, there] = [new HostCircuits(table), new HostCircuits(table)];
    expect(await here.admit(host, tenant('d'), 100)).toEqual(admitted);
    for (const name of ['a', 'b', 'c']) await there.failed(host, tenant(name), 104);
    expect(await here.admit(host, tenant('e'), 105)).toMatchObject({ admitted: false });
  });

  it('lets one probe at a time in, whoever else comes at once', async () => {
    const hosts = new HostCircuits(table);
    for (const name of ['a', 'b', 'c']) await hosts.failed(host, tenant(name), 100);
    const asked = await Promise.all(['d', 'e', 'f', 'g'].map((name) => hosts.admit(host, tenant(name), 103)));
    expect(asked.filter((admission) => admission.admitted)).toHaveLength(1);
  });
});
