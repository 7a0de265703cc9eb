/**
 * The one due item of a cluster that is down: asks it for something that is hardly there, for everybody who is parked behind it, and has them woken when
 * it answers. While it does not, nobody else asks, and its circuit says when to ask again (DESIGN §3.14).
 */
import { ExpectedError } from '../errors/expected.ts';
import type { KubeClient } from '../kube/client.ts';
import { saysClusterIsDown } from '../kube/errors.ts';
import { type Log, sayError } from '../reconcile/log.ts';
import type { Circuits } from '../state/circuits.ts';
import { clusterScope } from '../state/keys.ts';
import { type ComeBackPorts, comeBack } from './come-back.ts';

/** What probing needs. */
export interface ProbePorts extends ComeBackPorts {
  readonly circuits: ComeBackPorts['circuits'] &
    Pick<Circuits, 'admit' | 'failed' | 'isDown' | 'lookAgain' | 'succeeded'>;
  kube(cluster: string, signal: AbortSignal): Promise<Pick<KubeClient, 'get'>>;
  readonly log: Log;
}

/** Of a kind that functions may always read. That there is none is an answer too. */
const asked = { kind: 'ClusterLifecycle', namespace: '', name: 'kpackless-probe' } as const;

/** Whether the cluster answers, or is none any more: then what is parked finds that out for itself. @throws StateError */
const answers = async (ports: ProbePorts, cluster: string, signal: AbortSignal): Promise<ExpectedError | 'yes'> => {
  try {
    const kube = await ports.kube(cluster, signal);
    await kube.get(asked);
    return 'yes';
  } catch (error) {
    if (!(error instanceof ExpectedError)) throw error;
    if (!saysClusterIsDown(error)) return 'yes';
    ports.log('warn', 'a cluster is still down', { cluster, why: sayError(error) });
    return error;
  }
};

/** What became of a probe: `woken` and how many, `open` when it was not its time, `down`. @throws StateError, QueueError */
export const probeCluster = async (
  ports: ProbePorts,
  cluster: string,
  signal: AbortSignal,
): Promise<'down' | 'open' | { readonly woken: number; readonly areAll: boolean }> => {
  const { circuits } = ports;
  const scope = clusterScope(cluster);
  const now = (): number => Math.floor(ports.clock().getTime() / 1000);
  if (await circuits.isDown(scope, now())) {
    const admission = await circuits.admit(scope, now());
    if (!admission.admitted) {
      await circuits.lookAgain(scope, Math.max(admission.until, now() + 1));
      return 'open';
    }
    const answer = await answers(ports, cluster, signal);
    if (answer !== 'yes') {
      await circuits.failed(scope, now(), answer.retryAfterSeconds);
      return 'down';
    }
    await circuits.succeeded(scope, now());
  }
  return comeBack(ports, cluster, signal);
};
