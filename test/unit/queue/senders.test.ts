/** Who may wake what (DESIGN §3.26). */
import { describe, expect, it } from 'vitest';
import { mayWake } from '../../../lib/queue/senders.ts';

const relays: Readonly<Record<string, string>> = { one: 'AROARELAYOFONE000001', two: 'AROARELAYOFTWO000002' };
const rule = mayWake({
  own: ['AROASWEEPER000000001', 'AROADEPENDENTS000001'],
  relayRoleId: (cluster) => Promise.resolve(relays[cluster]),
});

describe('a message counts', () => {
  it.each([
    ['from the relay of its cluster', 'one', 'AROARELAYOFONE000001:eks-prod-kpackless-r-1b2c', true],
    ['from a function, whatever the cluster', 'two', 'AROASWEEPER000000001:kpackless-prod-sweeper', true],
    ['from the relay of another cluster: not', 'one', 'AROARELAYOFTWO000002:eks-other', false],
    ['from a session that is named like a relay: not', 'one', 'AROASTRANGER00000001:AROARELAYOFONE000001', false],
    ['from a user: not', 'one', 'AIDASOMEBODY00000001', false],
    ['without a sender: not', 'one', '', false],
    ['without a role before the colon: not', 'three', ':session', false],
    ['for a cluster without a relay: not', 'three', 'AROARELAYOFONE000001:s', false],
    ['from a role whose id begins like another: not', 'one', 'AROARELAYOFONE00000', false],
  ])('%s', async (_, cluster, sender, counts) => {
    expect(await rule(cluster, sender)).toBe(counts);
  });

  it('from anybody where the queue is in the process of its senders', async () => {
    const embedded = mayWake({ own: 'any', relayRoleId: () => Promise.reject(new Error('nobody is asked')) });
    expect(await embedded('one', 'whoever')).toBe(true);
  });
});
