/** Deletion goes by owner references alone. */
import { describe, expect, it } from 'vitest';
import { commitFiles } from '../../../infra/local/git-repository.ts';
import { makeImage, makeNamespace } from '../objects.ts';
import { imageOf, podWhen } from '../observe.ts';
import type { Story } from '../story.ts';
import { waitFor } from '../wait.ts';

const key = { namespace: 'gone', name: 'app' };

/** An Image deleted in the middle of its build. */
export const deletion: Story = {
  begin: async (suite) => {
    const { gitRoot, gitHost } = suite.cluster;
    const files = { 'slow-build': '300' };
    await commitFiles({ gitRoot, repository: 'gone', files, message: 'gone', at: new Date() });
    await makeNamespace(suite, key.namespace);
    const source = { git: { url: `http://${gitHost}/gone.git`, revision: 'main' } };
    await makeImage(suite, { ...key, source, cache: { volume: { size: '50Mi' } } });
  },

  tell: (the) => {
    describe('an Image deleted while it is built', () => {
      it('leaves neither pod nor Build nor claim', async () => {
        const { kube } = the();
        await podWhen(the(), key, 1, ({ status }) => status?.phase === 'Running' || status?.phase === 'Pending');
        const image = await imageOf(the(), key);
        await kube.delete({ ...image, kind: 'Image' });
        const left = async (): Promise<readonly string[]> => {
          const kinds = ['Image', 'Build', 'SourceResolver', 'Pod', 'PersistentVolumeClaim'];
          const found = await Promise.all(kinds.map(async (kind) => kube.list(kind, { namespace: key.namespace })));
          return kinds.filter((_, index) => (found[index]?.length ?? 0) > 0);
        };
        let seen: readonly string[] = [];
        await waitFor(
          async () => {
            seen = await left();
            return seen.length === 0;
          },
          { what: 'everything of the Image to be gone', seconds: 60, seen: () => seen },
        );
        expect(seen).toEqual([]);
      });
    });
  },
};
