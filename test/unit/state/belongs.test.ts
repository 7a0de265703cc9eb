/** Whose the items of the table are. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { belongsTo, clusterOfItem, places } from '../../../lib/state/belongs.ts';
import {
  circuitKey,
  clusterScope,
  edgeKey,
  hookKey,
  hookSortKey,
  hostScope,
  recordKey,
  redriveKey,
  registrationKey,
  relayKey,
  slotsKey,
  tenantScope,
  waitingSortKey,
} from '../../../lib/state/keys.ts';

const target = { cluster: 'one', kind: 'Image', namespace: 'team', name: 'app' };
const host = hostScope({ scheme: 'https', host: '::1', port: 443 });
const user = { cluster: 'one', namespace: 'team', name: 'b', uid: 'u' };

describe('an item of the table', () => {
  it.each([
    ['a record', recordKey(target), 'record'],
    ['a revision of a poll', recordKey({ ...target, kind: 'GitPoll' }), 'revision#x'],
    ['an edge', edgeKey('one', { kind: 'ClusterStack', namespace: '', name: '*' }), 'Image#team#app'],
    ['a registration', registrationKey('one'), 'registration'],
    ['what a relay wrote', relayKey('one'), 'checkpoint#Image'],
    ['the circuit of a cluster', circuitKey(clusterScope('one')), 'circuit'],
    ['the circuit of a host as a namespace met it', circuitKey(tenantScope(host, target)), 'circuit'],
    ['the slots of a namespace', slotsKey({ cluster: 'one', namespace: 'team' }), 'holders'],
    ['who waits for a slot of all', slotsKey('installation'), waitingSortKey(user, '2026')],
    ['a poll that hooks wake', hookKey('digest'), hookSortKey(target)],
  ])('that is %s is the cluster’s', (_, pk, sk) => {
    expect(clusterOfItem({ pk, sk })).toBe('one');
    expect(belongsTo({ pk, sk }, 'one')).toBe(true);
    expect(belongsTo({ pk, sk }, 'on')).toBe(false);
  });

  it.each([
    ['the circuit of a host', circuitKey(host), 'circuit'],
    ['the slots of all', slotsKey('installation'), 'holders'],
    ['the last redrive of a queue', redriveKey('image'), 'redrive'],
  ])('that is %s is nobody’s', (_, pk, sk) => {
    expect(clusterOfItem({ pk, sk })).toBeUndefined();
  });

  it('of a kind that no rule knows is taken for the cluster’s when its key names it', () => {
    expect(belongsTo({ pk: 'parked#one', sk: 'x' }, 'one')).toBe(true);
    expect(belongsTo({ pk: 'parked#other', sk: 'x' }, 'one')).toBe(false);
  });

  it('has a rule for every kind that lib/state/keys.ts lists', () => {
    const page = readFileSync(new URL('../../../lib/state/keys.ts', import.meta.url), 'utf8');
    const rows = page.split('\n').filter((line) => /^ \* \| [^|]+ \| `/.test(line));
    const listed = new Set(rows.map((row) => /^ \* \| [^|]+ \| `(?<type>[a-z]+)[#`]/.exec(row)?.groups?.['type']));
    expect([...listed].filter((type) => places[type ?? ''] === undefined)).toEqual([]);
    expect(listed.size).toBeGreaterThan(7);
  });
});
