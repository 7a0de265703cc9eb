/** A world of builds with provenance switched on, and a registry that is real but for its memory. */

import { sourceMessage } from '../../../lib/builds/source-message.ts';
import { openRegistry } from '../../../lib/oci/client.ts';
import type { Digest } from '../../../lib/oci/digest.ts';
import { parseRepository } from '../../../lib/oci/reference.ts';
import { attestationTag } from '../../../lib/signing/attestation.ts';
import type { FakeRegistry } from '../../support/fake-registry.ts';
import {
  appFacts,
  builderFacts,
  buildWorld,
  completionMessage,
  digestOf,
  ended,
  lifecycleSteps,
  namespace,
  type WorldOptions,
} from './build-world.ts';

/** As Secrets hold it. */
export const base64 = (text: string): string => Buffer.from(text).toString('base64');
/** The builder of the world's Build. */
export const builderImage = 'builder.example/team/builder';
/** The commit that the step `prepare` says it fetched. */
export const commit = 'c'.repeat(40);
const systemNamespace = '/api/v1/namespaces/system';

/** The part of an in-toto statement that tests look at. */
export interface Statement {
  readonly subject: readonly object[];
  readonly predicate: {
    readonly buildDefinition: {
      readonly externalParameters: object;
      readonly internalParameters: object;
      readonly resolvedDependencies: readonly object[];
    };
    readonly runDetails: {
      readonly builder: {
        readonly id: string;
        readonly builderDependencies: readonly { readonly name: string; readonly content: string }[];
      };
      readonly metadata: object;
    };
  };
}
interface Envelope {
  readonly payloadType: string;
  readonly payload: string;
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
}

/** A status as the kubelet writes it of a step that ended well: with the image it ran, and in its message what the step says. */
export const ranWell = (name: string, message = '') => ({
  ...ended(name, 0, message),
  imageID: lifecycleSteps.slice(1).some((step) => step === name)
    ? `${builderImage}@${digestOf('b')}`
    : `steps@${digestOf('5')}`,
});

/** A world whose pod can end well, with attesting on. */
export const attestingWorld = (registry: FakeRegistry, options: WorldOptions = {}) => {
  const app = `${registry.host}/team/app`;
  const world = buildWorld({
    ...options,
    spec: { tags: [app], builder: { image: builderImage }, ...options.spec },
    attest: {
      systemAccount: { namespace: 'system', name: 'controller' },
      internalParameters: { systemNamespace: 'system' },
      release: 'v1',
      registryFor: () => Promise.resolve(openRegistry()),
    },
  });
  world.cluster.put('/api/v1/namespaces', { kind: 'Namespace', metadata: { name: namespace } });
  world.cluster.put(`${systemNamespace}/serviceaccounts`, {
    kind: 'ServiceAccount',
    metadata: { name: 'controller', namespace: 'system' },
  });
  world.images.known.set(builderImage, builderFacts);
  world.images.known.set(`${builderImage}@${digestOf('b')}`, builderFacts);
  const image = `${app}@${digestOf('a')}`;
  world.images.known.set(app, appFacts);
  /** An account of that namespace lists these Secrets. */
  const give = (where: string, account: string, secrets: Record<string, object>): void => {
    const base = `/api/v1/namespaces/${where}`;
    world.cluster.remove(`${base}/serviceaccounts/${account}`);
    world.cluster.put(`${base}/serviceaccounts`, {
      kind: 'ServiceAccount',
      metadata: { name: account, namespace: where },
      secrets: [...Object.keys(secrets), ...(where === 'system' ? ['missing'] : [])].map((name) => ({ name })),
    } as object);
    for (const [name, { annotated = true, ...data }] of Object.entries<Record<string, unknown>>(
      secrets as Record<string, Record<string, unknown>>,
    ))
      world.cluster.put(`${base}/secrets`, {
        kind: 'Secret',
        metadata: { name, namespace: where, ...(annotated === true ? { annotations: { 'kpack.io/slsa': '' } } : {}) },
        data,
      } as object);
  };
  return {
    ...world,
    image,
    give,
    /** What the kubelet says of the pod that ended well. */
    endedWell: () => {
      const times = (startedAt: string, finishedAt: string, { state, ...rest }: ReturnType<typeof ranWell>) => ({
        ...rest,
        state: { terminated: { ...state.terminated, exitCode: 0, startedAt, finishedAt } },
      });
      const prepared = sourceMessage({ type: 'git', id: commit });
      return {
        phase: 'Succeeded',
        initContainerStatuses: lifecycleSteps.map((name) =>
          times('2026-11-21T08:00:01Z', '2026-11-21T08:00:02Z', ranWell(name, name === 'prepare' ? prepared : '')),
        ),
        containerStatuses: [
          times(
            '2026-11-21T08:00:03Z',
            '2026-11-21T08:01:00Z',
            ranWell('completion', completionMessage({ latestImage: image })),
          ),
        ],
      };
    },
    /** Makes the pod, lets it end well and reports it. */
    async built() {
      await world.pass();
      world.podSays(this.endedWell());
      return world.pass();
    },
    /** The attestation in the registry. @throws OciError `not-found` when there is none */
    attestation: async () => {
      const tag = attestationTag(digestOf('a') as Digest, parseRepository(app));
      const { bytes, digest } = await openRegistry().getManifest(tag);
      const manifest = JSON.parse(new TextDecoder().decode(bytes)) as {
        layers: { digest: Digest; size: number; mediaType: string; annotations: object }[];
      };
      const [layer] = manifest.layers;
      if (layer === undefined) throw new Error('the attestation has no layer');
      const envelope = JSON.parse(
        Buffer.from(await openRegistry().readBlob(parseRepository(app), layer)).toString('utf8'),
      ) as Envelope;
      const payload = Buffer.from(envelope.payload, 'base64');
      return { digest, tag, layer, envelope, payload, statement: JSON.parse(payload.toString('utf8')) as Statement };
    },
  };
};

/** What `attestingWorld` gives. */
export type AttestingWorld = ReturnType<typeof attestingWorld>;
