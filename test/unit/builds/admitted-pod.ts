/**
 * A pod as the API server stores what it is sent: defaults, a token, the account, tolerations, a node. What a real one adds to our pods is
 * compared with the rule that allows for it in test/contract/builds/api-server.test.ts.
 */
import type { Container, Pod, Volume } from 'kubernetes-types/core/v1.d.ts';

const token = {
  name: 'kube-api-access-x7k2p',
  mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
  readOnly: true,
};

const admittedStep = (step: Container): Container => ({
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
  ...step,
  // An empty value is left out when it is stored.
  ...(step.env !== undefined && {
    env: step.env.map(({ name, value = '', ...rest }) => ({ name, ...(value !== '' && { value }), ...rest })),
  }),
  resources: {},
  volumeMounts: [...(step.volumeMounts ?? []), token],
});

const admittedVolume = ({ secret, downwardAPI, ...rest }: Volume): Volume => ({
  ...rest,
  ...(secret !== undefined && { secret: { ...secret, defaultMode: 420 } }),
  ...(downwardAPI !== undefined && {
    downwardAPI: {
      ...downwardAPI,
      defaultMode: 420,
      items: (downwardAPI.items ?? []).map(({ fieldRef, ...item }) => ({
        ...item,
        ...(fieldRef !== undefined && { fieldRef: { apiVersion: 'v1', ...fieldRef } }),
      })),
    },
  }),
});

/** The pod after admission. */
export const admitted = (pod: Pod): Pod => {
  const { containers, initContainers = [], volumes = [], ...rest } = pod.spec ?? { containers: [] };
  return {
    ...pod,
    spec: {
      ...rest,
      initContainers: initContainers.map(admittedStep),
      containers: containers.map(admittedStep),
      volumes: [
        ...volumes.map(admittedVolume),
        {
          name: token.name,
          projected: {
            defaultMode: 420,
            sources: [
              { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
              { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
              { downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
            ],
          },
        },
      ],
      serviceAccount: rest.serviceAccountName ?? 'default',
      dnsPolicy: 'ClusterFirst',
      enableServiceLinks: true,
      nodeName: 'node',
      preemptionPolicy: 'PreemptLowerPriority',
      priority: 0,
      schedulerName: 'default-scheduler',
      terminationGracePeriodSeconds: 30,
      tolerations: [
        { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
      ],
    },
  };
};
