/** `kpackless cluster add`: lets a cluster in, and says to the functions how it is entered. */
import { type Command, Option } from 'commander';
import { askForNoConversion } from '../../../lib/conversion/trust.ts';
import { type Finding, findings, type RelayIdentity } from '../../../lib/eks/findings.ts';
import { clusterRoleArn, type PlanInput, planOf, relayRoleArn } from '../../../lib/eks/plan.ts';
import type { InstallationPlace } from '../../../lib/eks/policies.ts';
import { asCommand, type Step, shellWord } from '../../../lib/eks/step.ts';
import { PermanentError } from '../../../lib/errors/expected.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { askSupport } from '../../../lib/kube/server-version.ts';
import { Clusters, type Registration } from '../../../lib/state/clusters.ts';
import { tracesOfKpack, wayOutOfKpack } from '../../crds/whose-cluster.ts';
import { defaultCachePolicy } from '../../default-cache.ts';
import type { Aws } from '../aws.ts';
import { type Call, callOf, type Registrar, withInstallation } from '../context.ts';
import { namesOf } from '../installation.ts';
import { asYaml, manifestsFor } from '../manifests.ts';
import { takeSteps } from '../take-steps.ts';
import { associationOf, describe, identityOf, knowsIssuer, pullPolicies, surroundings } from './eks.ts';
import { clusterName, grantHelp, roleArnIn, type TrustOptions, trustIn } from './registration.ts';
import { type StoredOptions, storedWay } from './stored.ts';

/** Everything that is understood. */
interface AddOptions extends TrustOptions, StoredOptions {
  readonly eks?: string;
  readonly clusterRegion?: string;
  readonly clusterProfile?: string;
  readonly role?: string;
  readonly irsa?: boolean;
  readonly relay: boolean;
  readonly conversion: boolean;
  readonly relayImage?: string;
  readonly stepImage?: string;
  readonly tenantEverywhere?: boolean;
  readonly kubeconfig?: string;
  readonly permissionsBoundary?: string;
  readonly kmsKey?: string;
  readonly print?: boolean;
}

const showFinding = ({ level, what, wayOut }: Finding): string => `${level}: ${what}. Way out: ${wayOut}`;

/** What of kpack is in the cluster is said, and nothing is done. @throws PermanentError */
const refuseKpack = (traces: readonly string[], cluster: string): void => {
  if (traces.length === 0) return;
  throw new PermanentError(
    'Refused',
    `cluster ${cluster} has kpack: ${traces.join(', ')}. Two controllers would build everything twice, and kpack's webhooks refuse what it does not know. ${wayOutOfKpack}`,
  );
};

/** Where the installation is. @throws ExpectedError */
const placeOf = async (call: Call, aws: Aws): Promise<InstallationPlace> => {
  const { account, partition } = await identityOf(aws, 'installation');
  const { table, queuePrefix, stack } = namesOf(call.where);
  return { partition, account, region: await aws.region('installation'), table, queuePrefix, stack };
};

/** @throws PermanentError when a relay is to be made, and nobody says of what */
const relayImageIn = ({ relay, relayImage }: AddOptions): string | undefined => {
  if (!relay) return undefined;
  if (relayImage === undefined)
    throw new PermanentError('Usage', 'give --relay-image, as npm run images printed it, or --no-relay');
  return relayImage;
};

/** Applies the manifests as whoever calls the command. @throws ExpectedError */
const apply = async (
  call: Call,
  way: Registration,
  options: AddOptions,
  cluster: string,
  { objects, isConverted }: { readonly objects: readonly KubeObject[]; readonly isConverted: boolean },
) => {
  const { kubeconfig, context } = options;
  const reached = await call.reach({
    registration: way,
    where: { ...call.where, ...sideOf(call, options) },
    kubeconfig,
    context,
  });
  try {
    const support = await askSupport(reached.transport);
    if (!support.isSupported) throw new PermanentError('Refused', support.why);
    if (support.note !== undefined) call.output.note(support.note);
    refuseKpack(await tracesOfKpack(reached.client), cluster);
    return {
      all: async (): Promise<void> => {
        if (!isConverted) await askForNoConversion(reached.client);
        const policy = await defaultCachePolicy(reached.client);
        for (const object of [...objects, ...policy]) await reached.client.apply(object);
      },
      close: () => reached.close(),
    };
  } catch (error) {
    reached.close();
    throw error;
  }
};

const sideOf = ({ where }: Call, { clusterRegion, clusterProfile }: AddOptions) => {
  const region = clusterRegion ?? where.region;
  const profile = clusterProfile ?? where.profile;
  return { ...(region !== undefined && { region }), ...(profile !== undefined && { profile }) };
};

/** The commands and manifests that do the same. */
const printed = (
  call: Call,
  options: AddOptions,
  steps: readonly Step[],
  regions: Readonly<Record<'installation' | 'cluster', string>>,
  objects: readonly KubeObject[],
  again: string,
): void => {
  const profiles = { installation: call.where.profile, cluster: sideOf(call, options).profile };
  const commands = steps.map((step) => ({
    what: step.what,
    side: step.side,
    command: asCommand(step, { region: regions[step.side], profile: profiles[step.side] }),
  }));
  call.output.answer({
    lines: [
      ...commands.flatMap(({ what, command }) => [`# ${what}`, command]),
      ...(steps.some(({ input }) => JSON.stringify(input).includes('{{externalId}}'))
        ? ['# {{externalId}} above is association.externalId of what create-pod-identity-association answers']
        : []),
      "kubectl apply --server-side -f - <<'EOF'",
      ...asYaml(objects).trimEnd().split('\n'),
      'EOF',
      '# and then, which finds all of it there and registers the cluster:',
      again,
    ],
    json: { steps: commands, manifests: objects },
  });
};

const addEks = async (call: Call, cluster: string, eksName: string, options: AddOptions): Promise<void> => {
  const image = relayImageIn(options);
  const trust = trustIn(options);
  await using aws = call.aws({ installation: call.where, cluster: sideOf(call, options) });
  const identity: RelayIdentity | undefined =
    image === undefined ? undefined : options.irsa === true ? 'irsa' : 'pod-identity';
  const planned = await call.output.during(`looking at cluster ${eksName}`, async (tell) => {
    const described = await describe(aws, eksName);
    tell('what surrounds it');
    const found = findings(described, await surroundings(aws, eksName), identity);
    for (const finding of found) call.output.note(showFinding(finding));
    if (found.some(({ level }) => level === 'refused') && options.print !== true)
      throw new PermanentError('Refused', `cluster ${cluster} is not added: see what is said above`);
    tell('accounts');
    const installation = await placeOf(call, aws);
    const images = [image, options.stepImage].filter((one) => one !== undefined);
    const input: PlanInput = {
      cluster,
      prefix: call.where.prefix,
      boundary: options.permissionsBoundary,
      kmsKey: options.kmsKey,
      described,
      installation,
      relay: identity,
      isIssuerKnown: identity === 'irsa' && (await knowsIssuer(aws, described.issuer)),
      roleArn: options.role === undefined ? undefined : roleArnIn(options.role),
      associationId: identity === 'pod-identity' ? await associationOf(aws, eksName) : undefined,
      pullPolicies: described.account === installation.account ? {} : await pullPolicies(aws, images, described),
    };
    const regions = { installation: installation.region, cluster: await aws.region('cluster') };
    return { input, regions, described, installation, found };
  });
  const { input, regions, described, installation, found } = planned;
  const steps = planOf(input);
  const isConverted = image !== undefined && options.conversion;
  const objects = manifestsFor({
    tenantEverywhere: options.tenantEverywhere === true,
    isConverted,
    relay:
      image === undefined
        ? undefined
        : { cluster, image, ...installation, roleArn: identity === 'irsa' ? relayRoleArn(input) : undefined },
  });
  const way: Registration = {
    access: 'eks',
    eksName,
    region: regions.cluster,
    server: described.endpoint,
    caData: described.caData,
    roleArn: clusterRoleArn(input),
  };
  if (options.print === true) {
    const words = call.args.filter((word) => word !== '--print').map(shellWord);
    printed(call, options, steps, regions, objects, ['npx', 'kpackless', ...words].join(' '));
    return;
  }
  const manifests = await apply(call, way, options, cluster, { objects, isConverted });
  try {
    const { taken, said } = await call.output.during(`letting kpackless into ${eksName}`, (tell) =>
      takeSteps(aws, steps, tell, call.sleep),
    );
    await call.output.during('applying definitions, permissions and relay', manifests.all);
    await register(
      call,
      cluster,
      { ...way, ...trust, ...(said['relayRoleId'] !== undefined && { relayRoleId: said['relayRoleId'] }) },
      options,
    );
    call.output.answer({
      lines: [
        ...taken.map(({ what, taken: how }) => `${how === 'done' ? 'made' : 'was there'}: ${what}`),
        `applied: ${objects.length} objects`,
        ...(isConverted
          ? []
          : ['v1alpha1 is not served: `kp … --wait` and manifests in it need it (docs/conversion.md)']),
        `registered: ${cluster}`,
        `Go on with kpackless cluster check ${cluster}`,
      ],
      json: { cluster, registered: true, steps: taken, objects: objects.length, findings: found },
    });
  } finally {
    manifests.close();
  }
};

/** Last of all: from then on the functions work for it. What was registered before and is not said anew stays. */
const register = (call: Call, cluster: string, registration: Registration, options: AddOptions): Promise<void> =>
  withInstallation(call, { writes: true }, async ({ table }) => {
    const clusters = new Clusters(table);
    const before = await clusters.registration(cluster);
    const { grants: _, rate: __, relayRoleId, ...way } = registration;
    await clusters.register(cluster, {
      ...way,
      ...trustIn({ ...options, ...(relayRoleId !== undefined && { relayRoleId }) }, before),
    });
  });

const addStored = async (call: Call, cluster: string, options: AddOptions): Promise<void> => {
  await using aws = call.aws({ installation: call.where, cluster: call.where });
  const way = storedWay(options, await aws.region('installation'), call.where);
  const objects = manifestsFor({ tenantEverywhere: options.tenantEverywhere === true, relay: undefined });
  if (options.print === true) {
    call.output.answer({
      lines: asYaml(objects).trimEnd().split('\n'),
      json: { manifests: objects, registration: way },
    });
    return;
  }
  if (options.kubeconfig !== undefined) {
    const manifests = await apply(call, way, options, cluster, { objects, isConverted: false });
    await call.output.during('applying definitions and permissions', manifests.all).finally(manifests.close);
  } else
    call.output.note(
      'nothing is applied to the cluster, as no --kubeconfig says how you enter it: --print shows what to apply',
    );
  await register(call, cluster, { ...way, ...trustIn(options) }, options);
  call.output.answer({
    lines: [
      `registered: ${cluster}, entered by what ${way.store} keeps as ${way.name}`,
      `Run its relay where it has an AWS identity (docs/aws.md), give its role's id with --relay-role-id, and go on with kpackless cluster check ${cluster}`,
    ],
    json: { cluster, registered: true, way: { store: way.store, name: way.name, form: way.form } },
  });
};

const repeated = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  value,
];

/** Adds it. */
export const addClusterAdd = (cluster: Command, registrar: Registrar): void => {
  cluster
    .command('add')
    .argument('<name>', 'what it is to be called: part of messages and of the names of its roles')
    .option('--eks <name>', 'an EKS cluster, as EKS calls it')
    .option('--cluster-region <region>', 'its region; --region without')
    .option('--cluster-profile <profile>', 'who you are in its account; --profile without')
    .option('--role <arn>', 'a role that is there already for kpackless to be; one is made without')
    .option('--irsa', 'the relay takes its role by its ServiceAccount (IRSA) and not by EKS Pod Identity')
    .addOption(
      new Option('--relay-image <image>', 'the relay, as npm run images printed it').env('KPACKLESS_RELAY_IMAGE'),
    )
    .addOption(
      new Option('--step-image <image>', 'the build steps, which nodes of another account are let pull').env(
        'KPACKLESS_STEP_IMAGE',
      ),
    )
    .option('--no-relay', 'the relay runs elsewhere; nobody then converts v1alpha1')
    .option('--no-conversion', 'v1alpha1 is not served, as where the API server cannot reach pods')
    .option('--tenant-everywhere', 'lets kpackless read Secrets and make pods in every namespace, as kpack does')
    .option('--secret <name>', 'any cluster: a kubeconfig, or with --server a token, in Secrets Manager')
    .option('--parameter <name>', 'the same in Parameter Store')
    .option('--server <url>', 'address of the API server')
    .option('--ca-data <base64>', 'its certificate authority; the usual ones without')
    .option('--kubeconfig <file>', 'how you yourself enter it, to apply what it needs')
    .option('--context <name>', 'context of a kubeconfig')
    .option('--grant <grant>', grantHelp, repeated)
    .option('--relay-role-id <id>', 'unique id of the role of a relay that is there already (AROA…)')
    .option('--requests-per-second <number>', 'how fast each process may ask its API')
    .option('--burst <number>', 'how many requests at once; as many as in a second without')
    .option('--permissions-boundary <arn>', 'policy that bounds every role that is made, as the installation has it')
    .option('--kms-key <arn>', 'the installation’s own key, if it has one: its relay needs it')
    .option('--print', 'shows the commands and manifests, and does nothing')
    .description('lets a cluster in and registers it; again it changes what is said anew')
    .addHelpText(
      'after',
      `
What is there stays; dying in between is mended by calling it again. You need rights of an administrator in the cluster, and in both accounts to make
roles. A cluster with kpack in it is refused.

Examples:
  $ kpackless cluster add prod --eks production --region eu-west-1 --relay-image $R/kpackless/relay@sha256:…
  $ kpackless cluster add prod --eks production --cluster-region us-east-1 --cluster-profile other-account --relay-image …
  $ kpackless cluster add prod --eks production --irsa --relay-image … --print > prod.sh
  $ kpackless cluster add onprem --secret kpackless/prod/cluster/onprem --kubeconfig ~/.kube/onprem
  $ kpackless cluster add prod --eks production --relay-image … --grant 'write 123456789012.dkr.ecr.eu-west-1.amazonaws.com/team-a namespaces=team-a'`,
    )
    .action(async (name: string, options: AddOptions, command: Command) => {
      const call = callOf(registrar, command);
      clusterName(name);
      if (call.where.database !== undefined)
        throw new PermanentError(
          'Usage',
          'standalone mode registers its cluster by itself at each start: KPACKLESS_CLUSTER and KPACKLESS_KUBECONFIG say which (docs/standalone.md)',
        );
      const isStored = options.secret !== undefined || options.parameter !== undefined;
      if ((options.eks === undefined) === !isStored)
        throw new PermanentError('Usage', 'say how the cluster is entered: --eks NAME, or --secret or --parameter');
      if (options.eks !== undefined) await addEks(call, name, options.eks, options);
      else await addStored(call, name, options);
    });
};
