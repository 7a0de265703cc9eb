/** kpack's webhook configurations are taken away: cluster-wide and closed, they would refuse every write once nobody answers. */
import { showKey } from '../../../lib/kube/object.ts';
import { kpackWebhookConfigurations } from '../../../lib/migration/kpack.ts';
import type { MoveStep } from './steps.ts';

/** The step. Before objects are written again: kpack's admission would change some of them, and refuse those with notary or bindings to everybody but itself (spec 05 §4.2). */
export const takeWebhooksAway: MoveStep = {
  what: "kpack's webhook configurations are deleted",
  byHand: kpackWebhookConfigurations.map(({ kind, name }) => `kubectl delete ${kind.toLowerCase()} ${name}`),
  take: async ({ client }) => {
    const gone: string[] = [];
    for (const key of kpackWebhookConfigurations) {
      const found = await client.get(key);
      if (found === undefined) continue;
      await client.delete({ ...found, kind: key.kind });
      gone.push(showKey(key));
    }
    return gone.length === 0 ? 'there are none' : `${gone.join(', ')} deleted`;
  },
};
