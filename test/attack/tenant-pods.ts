/** What attacks on pods have in common: a world whose system has a key, and what a tenant gets out of it. */
import { generateKeyPairSync } from 'node:crypto';
import type { ContainerStatus, Pod } from 'kubernetes-types/core/v1.d.ts';
import { expect } from 'vitest';
import { isOciError } from '../../lib/oci/errors.ts';
import type { FakeRegistry } from '../support/fake-registry.ts';
import { type AttestingWorld, attestingWorld, base64 } from '../unit/builds/attesting-world.ts';
import { podPath, pods, type WorldOptions } from '../unit/builds/build-world.ts';

const systemKey = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();

/** A world whose system has a key. */
export const attackedWorld = (registry: FakeRegistry, options: WorldOptions = {}): AttestingWorld => {
  const world = attestingWorld(registry, options);
  world.give('system', 'controller', { key: { 'ssh-privatekey': base64(systemKey) } });
  return world;
};

/** The pod as it stands. */
export const podNow = (world: AttestingWorld): Pod => world.cluster.at(podPath) as unknown as Pod;
/** Somebody changes the pod in the cluster; it stays the same pod. */
export const edit = (world: AttestingWorld, change: (pod: Pod) => Pod): void => {
  const pod = change(podNow(world));
  world.cluster.remove(podPath);
  world.cluster.put(pods, pod);
};
/** The pod with another image in one step. */
export const withImage = (pod: Pod, step: string, image: string): Pod => ({
  ...pod,
  spec: {
    ...pod.spec,
    containers: pod.spec?.containers ?? [],
    initContainers: (pod.spec?.initContainers ?? []).map((one) => (one.name === step ? { ...one, image } : one)),
  },
});
/** The statuses with one of them changed. */
export const statusOf = (statuses: readonly ContainerStatus[], step: string, change: object): ContainerStatus[] =>
  statuses.map((one) => (one.name === step ? { ...one, ...change } : one));

/** What came of it: the condition, whether anything was signed, and how many objects we deleted. */
export const seen = async (world: AttestingWorld) => ({
  condition: world.condition(),
  isSigned: await world.attestation().then(
    () => true,
    (error: unknown) => {
      if (!isOciError(error, 'not-found')) throw error;
      return Object.hasOwn(world.build().status as object, 'latestAttestationImage');
    },
  ),
  deletions: world.cluster.requests.filter(({ method }) => method === 'DELETE').length,
});

const nothing = { isSigned: false, deletions: 0 };

/** The Build waits for the pod to be deleted, which is not ours because it `why`. */
export const taken = (why: string) => ({
  ...nothing,
  condition: {
    type: 'Succeeded',
    status: 'Unknown',
    reason: 'PodNameTaken',
    message: expect.toSatisfy((text: string) => text.includes(why) && text.includes('delete it')) as string,
  },
});

/** The Build ended well by what the registry has, and no key was used, because `why`. */
export const builtUnsigned = (why: string) => ({
  ...nothing,
  condition: {
    type: 'Succeeded',
    status: 'True',
    reason: 'Completed',
    message: expect.toSatisfy((text: string) => text.includes('but not attested: ') && text.includes(why)) as string,
  },
});
