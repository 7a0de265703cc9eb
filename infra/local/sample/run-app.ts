/** Runs a built image as a pod and asks it something: the proof that it is an app. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { ExpectedError } from '../../../lib/errors/expected.ts';
import type { KubeClient } from '../../../lib/kube/client.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import type { KubeTransport } from '../../../lib/kube/transport.ts';

type RunningPod = Pod & KubeObject;
const port = 8080;

/** Starts `image` as pod `name`, replacing one of that name with another image, and gives the body of its answer to `GET path`, asked through the API server. */
export const answerOf = async (
  kube: KubeClient,
  transport: KubeTransport,
  {
    namespace,
    name,
    image,
    path = '/',
  }: { readonly namespace: string; readonly name: string; readonly image: string; readonly path?: string },
): Promise<string> => {
  const key = { kind: 'Pod', namespace, name };
  const until = Date.now() + 120_000;
  const waitFor = async (what: string, isDone: (pod: RunningPod | undefined) => boolean): Promise<void> => {
    for (let pod = await kube.get<RunningPod>(key); !isDone(pod); pod = await kube.get<RunningPod>(key)) {
      const said = pod?.status?.containerStatuses?.[0]?.state?.waiting;
      if (Date.now() > until)
        throw new ExpectedError(
          `pod ${namespace}/${name} ${what} after two minutes: ${said?.reason ?? ''} ${said?.message ?? ''}`,
        );
      await sleep(200);
    }
  };
  const old = await kube.get<RunningPod>(key);
  // That of an earlier start comes back by itself: its container is started again.
  const isGoing = old?.metadata?.deletionTimestamp !== undefined;
  if (isGoing || old?.spec?.containers[0]?.image !== image) {
    if (old !== undefined && !isGoing) await kube.delete(old);
    await waitFor('is still there', (pod) => pod === undefined);
    await kube.create<RunningPod>({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            name: 'app',
            image,
            env: [{ name: 'PORT', value: String(port) }],
            readinessProbe: { tcpSocket: { port }, periodSeconds: 1 },
          },
        ],
      },
    });
  }
  // Until its node has looked, what the pod says may be from before a stop; then nobody answers yet.
  for (;;) {
    await waitFor('does not run', (pod) => pod?.status?.containerStatuses?.[0]?.ready === true);
    try {
      const { body } = await transport.send({
        method: 'GET',
        path: `/api/v1/namespaces/${namespace}/pods/${name}:${port}/proxy${path}`,
        accept: '*/*',
      });
      return body;
    } catch (error) {
      if (Date.now() > until) throw error;
      await sleep(200);
    }
  }
};
