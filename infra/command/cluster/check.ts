/** `kpackless cluster check`: whether a cluster can be worked for, from both sides. */
import type { Command } from 'commander';
import * as v from 'valibot';
import { findings } from '../../../lib/eks/findings.ts';
import { kubernetesGroup } from '../../../lib/eks/plan.ts';
import { ExpectedError, PermanentError } from '../../../lib/errors/expected.ts';
import type { ClusterState, Tally } from '../../../lib/fleet/tally.ts';
import { troubles } from '../../../lib/fleet/troubles.ts';
import { askSupport } from '../../../lib/kube/server-version.ts';
import type { Registration } from '../../../lib/state/clusters.ts';
import { type Call, callOf, nowOf, type Registrar, unwell, withInstallation } from '../context.ts';
import { answerOf, type Checked, isUnwell, looked, unknown, well, wrong } from '../findings.ts';
import { namesOf } from '../installation.ts';
import { queuesOf, tallyOf } from '../look.ts';
import type { Reached } from '../reach.ts';
import { definitions, policies, relayDeployment } from './contents.ts';
import { conversion } from './conversion.ts';
import { associationOf, describe, surroundings } from './eks.ts';
import { hostsOf, tryHost } from './hosts.ts';
import {
  type Asker,
  functionDeeds,
  functionsAsGroup,
  mayAll,
  mayBuild,
  relayDeeds,
  relaySubject,
} from './permissions.ts';

/** What is understood. */
interface CheckOptions {
  readonly clusterRegion?: string;
  readonly clusterProfile?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
}

const entrySchema = v.object({ accessEntry: v.object({ kubernetesGroups: v.optional(v.array(v.string()), []) }) });

/** EKS's side. */
const eksSide = (call: Call, registration: Extract<Registration, { readonly access: 'eks' }>, options: CheckOptions) =>
  looked('EKS', async () => {
    const { eksName, roleArn, server, caData } = registration;
    const profile = options.clusterProfile ?? call.where.profile;
    await using aws = call.aws({
      installation: call.where,
      cluster: { region: options.clusterRegion ?? registration.region, ...(profile !== undefined && { profile }) },
    });
    const described = await describe(aws, eksName);
    // A relay with IRSA has no association, and needs no agent.
    const identity = (await associationOf(aws, eksName)) === undefined ? undefined : 'pod-identity';
    const found = findings(described, await surroundings(aws, eksName), identity);
    const again = 'kpackless cluster add again takes it up';
    const entry = await looked('access entry', async () => {
      if (roleArn === undefined) return unknown('access entry', 'no role is registered');
      const { accessEntry } = v.parse(
        entrySchema,
        await aws.call('cluster', {
          service: 'eks',
          operation: 'DescribeAccessEntry',
          input: { clusterName: eksName, principalArn: roleArn },
        }),
      );
      return accessEntry.kubernetesGroups.includes(kubernetesGroup)
        ? well('access entry', `the cluster knows ${roleArn} as group ${kubernetesGroup}`)
        : wrong('access entry', `${roleArn} is not in group ${kubernetesGroup}`, again);
    });
    return [
      server === described.endpoint && caData === described.caData
        ? well('EKS', `${eksName} is ${described.status}, Kubernetes ${described.version}, where it is registered`)
        : wrong('EKS', 'its address or certificate authority is another than what is registered', again),
      ...found.map(({ what, wayOut, level }) =>
        level === 'refused' ? wrong('EKS', what, wayOut) : unknown('EKS', what, wayOut),
      ),
      ...entry,
    ];
  });

/** As kpackless itself where that can be had, otherwise by asking for it. */
const askerOf = async (
  call: Call,
  registration: Registration,
  mine: Reached,
): Promise<{ asker: Asker; how: string; readonly close: () => void }> => {
  const nothing = (): void => undefined;
  const forOthers = {
    asker: { transport: mine.transport, subject: functionsAsGroup },
    how: 'asked for group kpackless',
    close: nothing,
  };
  try {
    const own = await call.reach({ registration, where: call.where, asKpackless: true });
    try {
      await own.transport.send({ method: 'GET', path: '/version' });
      return {
        asker: { transport: own.transport, subject: 'self' },
        how: 'asked as kpackless itself',
        close: () => own.close(),
      };
    } catch (error) {
      own.close();
      throw error;
    }
  } catch (error) {
    if (error instanceof ExpectedError || error instanceof PermanentError) return forOthers;
    throw error;
  }
};

/** The cluster's side: what is there, what is allowed, what its objects name. */
const clusterSide = async (
  call: Call,
  cluster: string,
  registration: Registration,
  options: CheckOptions,
  tally: Tally,
): Promise<readonly Checked[]> => {
  const { kubeconfig, context } = options;
  let mine: Reached;
  try {
    mine = await call.reach({
      registration,
      where: { ...call.where, ...(options.clusterProfile !== undefined && { profile: options.clusterProfile }) },
      kubeconfig,
      context,
    });
  } catch (error) {
    if (error instanceof ExpectedError || error instanceof PermanentError)
      return [unknown('API server', error.message)];
    throw error;
  }
  const { client, transport } = mine;
  const { asker, how, close } = await askerOf(call, registration, mine);
  try {
    const again = `kubectl apply -f infra/cluster/rbac.yaml, or kpackless cluster add ${cluster} again`;
    const parts: readonly (() => Promise<readonly Checked[]>)[] = [
      () =>
        looked('API server', async () => {
          const support = await askSupport(transport);
          if (!support.isSupported) return wrong('API server', support.why);
          return support.note === undefined
            ? well('API server', 'answers here, and is of a version that is supported')
            : unknown('API server', support.note);
        }),
      () => looked('definitions', () => definitions(client)),
      () => looked('v1alpha1', () => conversion(client, transport)),
      () => looked('policies', () => policies(client)),
      () => looked('functions', () => mayAll(`functions (${how})`, asker, functionDeeds(), again)),
      () =>
        looked('builds', async () => {
          const images = await client.list('Image');
          const namespaces = [...new Set(images.map(({ metadata }) => metadata?.namespace ?? ''))].slice(0, 50);
          return mayBuild(asker, namespaces);
        }),
      () =>
        looked('relay', () =>
          mayAll(
            'relay, permissions',
            { transport, subject: relaySubject },
            relayDeeds(),
            'kubectl apply -f infra/cluster/relay-rbac.yaml',
          ),
        ),
      () => looked('relay', () => relayDeployment(client, cluster, namesOf(call.where))),
      () =>
        looked('hosts', async () =>
          (
            await Promise.all((await hostsOf(client)).map((one) => tryHost(one, call.probe, tally.openHosts, cluster)))
          ).flat(),
        ),
    ];
    return await call.output.during(`looking at cluster ${cluster}`, async (tell) => {
      const found: Checked[] = [];
      for (const [index, part] of parts.entries()) {
        tell(`${index + 1} of ${parts.length}`);
        found.push(...(await part()));
      }
      return found;
    });
  } finally {
    close();
    mine.close();
  }
};

/** What the table says of it: whether functions reach it, and its relay the queues. */
const ourSide = (state: ClusterState | undefined, tally: Tally, now: number): readonly Checked[] => {
  if (state === undefined) return [];
  const said = troubles({ ...tally, clusters: [state] }, [], now);
  const kinds = Object.keys(state.relay.checkpoints).length;
  return [
    ...(state.relay.epoch === undefined ? [] : [well('relay to table', `it has told of ${kinds} kinds`)]),
    ...(state.circuitOpenUntil === undefined || state.circuitOpenUntil <= now
      ? [well('functions to API', 'no function says that it does not answer')]
      : []),
    ...said.map((one) => wrong('table', one)),
  ];
};

/** Adds it. */
export const addClusterCheck = (cluster: Command, registrar: Registrar): void => {
  cluster
    .command('check')
    .argument('<name>')
    .option('--cluster-region <region>', 'its region; the registration’s without')
    .option('--cluster-profile <profile>', 'who you are in its account; --profile without')
    .option('--kubeconfig <file>', 'how you reach it; as the registration says without')
    .option('--context <name>', 'context of that kubeconfig')
    .description('whether a cluster can be worked for: access, permissions, relay, queues, registries, git')
    .addHelpText(
      'after',
      `
Asks for every verb that the installed RBAC is to allow, of functions and of the relay. Ends with 3 when something is wrong.

Examples:
  $ kpackless cluster check prod
  $ kpackless cluster check prod --context prod-admin --output json | jq '.checks[] | select(.state != "well")'`,
    )
    .action((name: string, options: CheckOptions, command: Command) => {
      const call = callOf(registrar, command);
      return withInstallation(call, { writes: false }, async (installation) => {
        const tally = await tallyOf(call, installation);
        const state = tally.clusters.find((one) => one.name === name);
        const registration = state?.registration;
        if (registration === undefined) {
          const names = tally.clusters.map((one) => one.name).join(', ') || 'none';
          throw new PermanentError(
            'NotRegistered',
            `cluster ${name} is not registered; there are ${names}: kpackless cluster add`,
          );
        }
        const all = [
          ...ourSide(state, tally, nowOf(call)),
          ...(await looked('queues', async () =>
            well('queues', `${(await queuesOf(call, installation)).length} answer here`),
          )),
          ...(registration.access === 'eks' ? await eksSide(call, registration, options) : []),
          ...(await clusterSide(call, name, registration, options, tally)),
        ];
        if (isUnwell(all)) unwell(registrar.ending);
        call.output.answer(answerOf(all, { cluster: name }));
      });
    });
};
