/** Rows of the table (lib/builds/pod-table.ts) that were not made to happen on the local cluster, and why. */
export const notRecorded: Readonly<Record<string, string>> = {
  'tag immutable': 'the registry of the local cluster has no such rule',
  'not rebasable': 'a rebase is left to a pod only where its registry cannot be reached from here',
  'cache image': 'the registry of the local cluster lets everybody in',
  'condition `DisruptionTarget`, `DeletionByDeviceTaintManager`': 'needs a driver of devices and a feature that is off',
  'condition `DisruptionTarget`, `TerminationByKubelet`; reason `Terminated`':
    'needs systemd, which tells kubelets of a shutdown',
  'condition `DisruptionTarget`, `TerminationByKubelet`; reason `Evicted`':
    'the local node shares its memory and disk with the rest of the machine',
  'phase `Failed`; container reason `ContainerStatusUnknown`, or `Unknown` with exit code 255':
    'needs a node that is restarted',
  'disrupted, node silent': 'takes an hour: its beginning is recorded as `disrupted, running`',
  'condition `DisruptionTarget`, any other reason': 'no Kubernetes writes one yet',
  policy: 'there is no pod: test/contract/builds/refusals.test.ts asks an API server',
  'class missing': 'there is no pod: test/contract/builds/refusals.test.ts asks an API server',
  quota: 'there is no pod: test/contract/builds/refusals.test.ts asks an API server',
  invalid: 'there is no pod: test/contract/builds/refusals.test.ts asks an API server',
};
