/** What one build costs the API server, counted by the server itself. */
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { commitFiles } from '../../../infra/local/git-repository.ts';
import type { AuditedRequest } from '../../support/audit-line.ts';
import { reads, requestsBetween, show, writes } from '../audit.ts';
import { makeImage, makeNamespace } from '../objects.ts';
import { readyAfter } from '../observe.ts';
import type { Story } from '../story.ts';

const key = { namespace: 'counted', name: 'app' };

/** Runs when nothing else does, as cluster-scoped reads cannot be told apart. */
export const requests: Story = {
  begin: async ({ cluster }) => {
    const { gitRoot } = cluster;
    await commitFiles({
      gitRoot,
      repository: 'counted',
      files: { 'index.html': '' },
      message: 'counted',
      at: new Date(),
    });
  },

  tell: (the) => {
    describe('one build', () => {
      let all: readonly AuditedRequest[];
      let podMade: number;
      let podEnded: number;

      beforeAll(async () => {
        const suite = the();
        await makeNamespace(suite, key.namespace);
        await sleep(2000); // what the new namespace causes is not the Image's
        const from = Date.now();
        const source = { git: { url: `http://${suite.cluster.gitHost}/counted.git`, revision: 'main' } };
        // A poll in mid-build is not the build's.
        const annotations = { 'image.kpack.io/pollInterval': '1h' };
        await makeImage(suite, { ...key, annotations, source, cache: { volume: { size: '50Mi' } } });
        await readyAfter(suite, key, 1);
        await sleep(1000);
        // Polls of other stories' repositories go on meanwhile.
        all = requestsBetween(suite, from, Date.now()).filter(({ namespace }) =>
          ['', key.namespace].includes(namespace),
        );
        podMade = all.find(({ verb, resource }) => verb === 'create' && resource === 'pods')?.receivedAt ?? 0;
        // The Build's last status write is the first word after the end of its pod.
        const words = all.filter(({ verb, resource }) => verb === 'update' && resource === 'builds/status');
        podEnded = words.at(-1)?.receivedAt ?? 0;
      });

      it('takes at most 6 writes and 13 reads from the Image to its pod', () => {
        const before = all.filter(({ receivedAt }) => receivedAt <= podMade);
        expect(show(writes(before)).slice(6)).toEqual([]);
        expect(show(reads(before)).slice(13)).toEqual([]);
      });

      it('takes at most 10 writes from its pod to the Image being Ready', () => {
        const after = writes(all.filter(({ receivedAt }) => receivedAt > podMade));
        expect(show(after).slice(10)).toEqual([]);
        expect(after.length).toBeGreaterThan(0);
      });

      it('takes at most 4 writes from the end of its pod to the Image being Ready', () => {
        const after = writes(all.filter(({ receivedAt }) => receivedAt >= podEnded));
        expect(show(after).slice(4)).toEqual([]);
        expect(after.length).toBeGreaterThan(0);
      });
    });
  },
};
