/** An Image in v1alpha1, as a quarter of public manifests are and as `kp --wait` watches it; and the Events that its build leaves. */
import type { Event } from 'kubernetes-types/core/v1.d.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import { commitFiles } from '../../../infra/local/git-repository.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { makeNamespace, makeOlderImage } from '../objects.ts';
import { readyAfter } from '../observe.ts';
import type { Story } from '../story.ts';

const key = { namespace: 'older', name: 'app' };
const path = `/apis/kpack.io/v1alpha1/namespaces/${key.namespace}/images`;

interface Older {
  readonly apiVersion: string;
  readonly spec: { readonly serviceAccount?: string };
  readonly status?: { readonly latestImage?: string; readonly latestBuildRef?: string };
}

export const olderVersion: Story = {
  begin: async (suite) => {
    const { gitRoot, gitHost } = suite.cluster;
    await commitFiles({ gitRoot, repository: 'older', files: { 'index.html': '' }, message: 'older', at: new Date() });
    await makeNamespace(suite, key.namespace);
    await makeOlderImage(suite, { ...key, source: { git: { url: `http://${gitHost}/older.git`, revision: 'main' } } });
  },

  tell: (the) => {
    describe('an Image in v1alpha1', () => {
      let older: Older;
      beforeAll(async () => {
        await readyAfter(the(), key, 1);
        const { body } = await the().transport.send({ method: 'GET', path: `${path}/${key.name}` });
        older = JSON.parse(body) as Older;
      });

      it('05#43 is built, and says so in its own version', () => {
        expect(older).toMatchObject({ apiVersion: 'kpack.io/v1alpha1', spec: { serviceAccount: 'builder' } });
        expect(older.status?.latestBuildRef).toBe('app-build-1');
        expect(older.status?.latestImage).toContain('/apps/older-app@sha256:');
      });

      it('has told what happened to it and to its Build by Events', async () => {
        const events = await the().kube.list<Event & KubeObject>('Event', {
          namespace: key.namespace,
          fieldSelector: 'reportingComponent=kpackless.io/reconciler',
        });
        // Its builder may not have been ready when it was made.
        const told = events
          .filter(({ reason }) => reason !== 'Waiting')
          .map(({ involvedObject: { kind = '' }, reason = '', type = '' }) => `${kind} ${reason} ${type}`);
        expect(told.toSorted()).toEqual([
          'Build Started Normal',
          'Build Succeeded Normal',
          'Image Started Normal',
          'Image Succeeded Normal',
        ]);
        const ended = events.find(
          ({ involvedObject, reason }) => involvedObject.kind === 'Image' && reason === 'Succeeded',
        );
        expect(ended?.message).toBe(`app-build-1: ${older.status?.latestImage}`);
      });
    });
  },
};
