/** What is taken in place of compiling it. */
import { describe, expect, it } from 'vitest';
import { readyMade, versionIn } from '../../../../../infra/local/cluster/ready-made.ts';

const fits = (name: keyof typeof readyMade, said: string): boolean => {
  const version = versionIn(said);
  return version !== undefined && readyMade[name]?.fits(version) === true;
};

describe('programs that need not be compiled', () => {
  it.each([
    ['etcd', '3.4.23-4+b4', false],
    ['etcd', 'etcd Version: 3.5.12\nGit SHA: Not provided\nGo Version: go1.19.8', false],
    ['etcd', '3.5.16-4', true],
    ['etcd', 'etcd Version: 3.6.5', true],
    ['registry', '2.8.2+ds1-1', true],
    ['registry', 'docker-registry github.com/docker/distribution 2.8.2+ds1', true],
    ['registry', 'registry github.com/distribution/distribution/v3 v3.0.0', true],
    ['registry', '2.7.1', false],
    ['kubectl', 'Client Version: v1.32.4-dispatcher\nKustomize Version: v5.5.0', true],
    ['kubectl', 'Client Version: v1.36.0', true],
    ['kubectl', 'Client Version: v1.20.2', false],
    ['kubectl', 'Client Version: v2.34.0', false],
    ['kubelet', 'Kubernetes v1.34.4', false],
    ['registry', '(none)', false],
    ['registry', '', false],
  ] as const)('%s that says %j: %j', (name, said, taken) => {
    expect(fits(name, said)).toBe(taken);
  });
});
