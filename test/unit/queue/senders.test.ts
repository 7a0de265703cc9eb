/** Who may wake what (DESIGN §3.26). */
import { describe, expect, it } from 'vitest';
import { authorOf, mayWake } from '../../../lib/queue/senders.ts';

const relays: Readonly<Record<string, string>> = { one: 'AROARELAYOFONE000001', two: 'AROARELAYOFTWO000002' };
const own = ['AROASWEEPER000000001', 'AROADEPENDENTS000001'];
const rule = mayWake({
  own,
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
  ])('%s', async (_, cluster, senderId, counts) => {
    expect(await rule(cluster, { senderId, firstSender: undefined })).toBe(counts);
  });

  const [us, relayOfTwo] = ['AROASWEEPER000000001:s', 'AROARELAYOFTWO000002:s'];
  it.each([
    ['of the relay of its cluster', 'two', us, relayOfTwo, true],
    ['of another relay: not', 'one', us, relayOfTwo, false],
    ['of ours', 'one', us, us, true],
    ['of nobody that is known: not', 'one', us, '', false],
    ['and a relay that says it is ours is itself: not', 'one', relayOfTwo, us, false],
    ['and a relay that says it is another is itself', 'two', relayOfTwo, 'AROARELAYOFONE000001:s', true],
  ])('that was queued anew by us, %s', async (_, cluster, senderId, firstSender, counts) => {
    expect(await rule(cluster, { senderId, firstSender })).toBe(counts);
  });

  it('as whoever sent it first, however often it was queued anew, and what others say of that is not handed on', () => {
    expect(authorOf(own, { senderId: us, firstSender: relayOfTwo })).toBe(relayOfTwo);
    expect(authorOf(own, { senderId: relayOfTwo, firstSender: us })).toBe(relayOfTwo);
  });

  it('from anybody where the queue is in the process of its senders', async () => {
    const embedded = mayWake({ own: 'any', relayRoleId: () => Promise.reject(new Error('nobody is asked')) });
    expect(await embedded('one', { senderId: 'whoever', firstSender: undefined })).toBe(true);
  });
});
