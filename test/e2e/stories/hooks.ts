/** Push hooks, for an Image that is never polled. */
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { commitFiles } from '../../../infra/local/git-repository.ts';
import type { SourceResolver } from '../../../lib/api/source-resolver.ts';
import { bareCondition, buildNames, buildOf, readyAfter } from '../observe.ts';
import type { Story } from '../story.ts';
import type { Suite } from '../suite.ts';
import { waitFor } from '../wait.ts';
import { demandingApp, demandingRepository } from './demanding.ts';

/** Sends what GitHub sends when a branch moved, signed with `secret`. */
const push = ({ standalone, cluster }: Suite, secret: string, commit: string): Promise<Response> => {
  const repository = { clone_url: `http://${cluster.gitHost}/${demandingRepository}.git` };
  const body = JSON.stringify({ ref: 'refs/heads/main', after: commit, repository });
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  return fetch(`http://127.0.0.1:${standalone.hookPort}/`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'push',
      'x-hub-signature-256': `sha256=${signature}`,
    },
    body,
    signal: AbortSignal.timeout(10_000),
  });
};

const wakeUps = ({ sent }: Suite): number => sent.filter((body) => body.includes('"reason":"hook"')).length;

/** A commit that nobody polls for, and the hooks that tell of it. */
export const hooks: Story = {
  begin: () => Promise.resolve(),

  tell: (the) => {
    describe('a push hook', () => {
      let commit: string;

      it('with a wrong signature is refused and wakes nobody', async () => {
        await readyAfter(the(), demandingApp, 1);
        const resolver = await the().kube.get<SourceResolver>({
          kind: 'SourceResolver',
          namespace: demandingApp.namespace,
          name: `${demandingApp.name}-source`,
        });
        expect(bareCondition(resolver, 'ActivePolling')).toMatchObject({ status: 'False', reason: 'PollingOff' });
        commit = await commitFiles({
          gitRoot: the().cluster.gitRoot,
          repository: demandingRepository,
          files: { 'index.html': 'pushed\n' },
          message: 'pushed',
          at: new Date(),
        });
        const before = wakeUps(the());
        const answer = await push(the(), 'not the secret', commit);
        expect(answer.status).toBe(401);
        expect(await answer.json()).toEqual({ error: 'no valid signature or token, as github sends it' });
        expect(wakeUps(the())).toBe(before);
        expect(await buildNames(the(), demandingApp)).toEqual(['app-build-1']);
      });

      it('with the right one makes the Image build the commit, though nobody polls', async () => {
        const before = wakeUps(the());
        const answer = await push(the(), the().hookSecret, commit);
        expect(answer.status).toBe(202);
        expect(await answer.json()).toEqual({ taken: 'what follows the repository looks at it' });
        expect(wakeUps(the())).toBeGreaterThan(before);
        const build = await waitFor(() => buildOf(the(), demandingApp, 2), { what: 'the Build', seconds: 15 });
        expect(build.spec.source.git?.revision).toBe(commit);
        expect((await readyAfter(the(), demandingApp, 2)).status?.latestBuildReason).toContain('COMMIT');
      });
    });
  },
};
