/** What a watch cache does not know may have been made since. */
import { describe, expect, it } from 'vitest';
import { kubeClient } from '../../../lib/kube/client.ts';
import { answerError } from '../../../lib/kube/errors.ts';
import type { KubeTransport } from '../../../lib/kube/transport.ts';

const key = { kind: 'Pod', namespace: 'team', name: 'app-build-1-build-pod' };

/** An API server whose cache knows of no pod, and whose store has what is given. */
const begin = (stored: object | undefined) => {
  const asked: (string | undefined)[] = [];
  const missing = JSON.stringify({ kind: 'Status', code: 404, reason: 'NotFound', details: { name: key.name } });
  const transport: KubeTransport = {
    server: 'one',
    send: async ({ query }) => {
      const version = query?.['resourceVersion'];
      asked.push(version);
      if (version !== undefined || stored === undefined) throw answerError('GET', 404, missing, undefined);
      return { status: 200, body: JSON.stringify(stored) };
    },
    stream: () => Promise.reject(new Error('not here')),
    close: () => undefined,
  };
  return { asked, kube: kubeClient(transport, undefined, { notOlderThan: () => '7' }) };
};

describe('an object of which a version is known', () => {
  it('is there when the store has it, though the watch cache does not know of it yet', async () => {
    const { asked, kube } = begin({ metadata: { name: key.name, uid: 'second' } });
    expect((await kube.get(key))?.metadata?.uid).toBe('second');
    expect(asked).toStrictEqual(['7', undefined]);
  });

  it('is gone when the store says so', async () => {
    const { asked, kube } = begin(undefined);
    expect(await kube.get(key)).toBeUndefined();
    expect(asked).toStrictEqual(['7', undefined]);
  });
});
