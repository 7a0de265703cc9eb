/** `kpackless why <kind>/<name>`: what happened last to an object, what happens next, and when. */
import { type Command, Option } from 'commander';
import { ExpectedError, PermanentError } from '../../lib/errors/expected.ts';
import { factsOf } from '../../lib/fleet/why/facts.ts';
import { isNamespaced, kindNamed, kindWords } from '../../lib/fleet/why/kind-named.ts';
import { lastOf } from '../../lib/fleet/why/last.ts';
import { nextOf } from '../../lib/fleet/why/next.ts';
import { showKey } from '../../lib/kube/object.ts';
import { Clusters } from '../../lib/state/clusters.ts';
import type { TargetKey } from '../../lib/state/keys.ts';
import { type Call, callOf, nowOf, type Registrar, withInstallation } from './context.ts';
import type { Installation } from './installation.ts';
import { tallyOf } from './look.ts';

/** What the subcommand is given. */
interface WhyOptions {
  readonly namespace: string;
  readonly cluster?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** The one cluster of the installation. @throws PermanentError when there are more, or none */
const onlyCluster = async (call: Call, installation: Installation): Promise<string> => {
  const names = (await tallyOf(call, installation)).clusters.map(({ name }) => name);
  const [only] = names;
  if (only === undefined || names.length > 1)
    throw new PermanentError(
      'Usage',
      `say which cluster: --cluster ${names.join(' | ') || 'NAME (there is none yet)'}`,
    );
  return only;
};

/** Adds it. */
export const addWhy = (program: Command, registrar: Registrar): void => {
  const { ports } = registrar;
  program
    .command('why')
    .argument('<object>', 'kind and name, image/app; kinds as kubectl takes them, and gitpoll')
    .option('-n, --namespace <namespace>', 'its namespace', 'default')
    .option('--cluster <name>', 'its cluster as it is registered; not needed where there is one')
    .option('--kubeconfig <file>', 'how you reach the cluster, for its conditions; what the registration says without')
    .addOption(new Option('--context <name>', 'context of that kubeconfig'))
    .description('what happened last to an object, what happens next and when')
    .addHelpText(
      'after',
      `
Reads the object's conditions, its record, what it depends on, its due time, its cluster's circuit and the passes of the last day in the log.

Examples:
  $ kpackless why image/app -n team-a
  $ kpackless why build/app-build-3 -n team-a --cluster prod --context prod-admin
  $ kpackless why clusterbuilder/base --output json`,
    )
    .action((named: string, options: WhyOptions, command: Command) => {
      const call = callOf(registrar, command);
      const object = kindNamed(named);
      if (object === undefined)
        throw new PermanentError(
          'Usage',
          `${named} names no object: write <kind>/<name>, with a kind of ${kindWords.join(', ')}`,
        );
      return withInstallation(call, { writes: false }, async (installation) => {
        const cluster = options.cluster ?? (await onlyCluster(call, installation));
        const target: TargetKey = {
          cluster,
          ...object,
          namespace: isNamespaced(object.kind) ? options.namespace : '',
        };
        const facts = await call.output.during(`asking about ${showKey(target)}`, async (tell) => {
          tell(`cluster ${cluster}`);
          const registration = await new Clusters(installation.table).registration(cluster);
          const kube = await ports.reach({ ...options, registration, where: call.where }).catch((error: unknown) => {
            if (error instanceof ExpectedError || error instanceof PermanentError) return error.message;
            throw error;
          });
          try {
            return await factsOf(
              {
                table: installation.table,
                depth: (queue) => installation.depths.depth(queue),
                kube: typeof kube === 'string' ? kube : kube.client,
                // A log that cannot be read takes lines from the answer, not the answer.
                passes: (one, queue) =>
                  installation.passes(one, queue).catch((error: unknown) => {
                    call.output.note(
                      error instanceof ExpectedError ? error.message : 'the log of the passes cannot be read',
                    );
                    return [];
                  }),
              },
              target,
              nowOf(call),
            );
          } finally {
            if (typeof kube !== 'string') kube.close();
          }
        });
        const [last, next] = [lastOf(facts), nextOf(facts)];
        const { record, poll, related, passes, circuitOpenUntil, look } = facts;
        const conditions = 'object' in look ? (look.object.status?.conditions ?? []) : undefined;
        call.output.answer({
          lines: [
            `${showKey(target)} in cluster ${cluster}`,
            '',
            'What happened last',
            ...last.map((each) => `  ${each}`),
            '',
            'What happens next',
            ...next.map((each) => `  ${each}`),
          ],
          json: {
            target,
            isRegistered: facts.isRegistered,
            conditions,
            record,
            dueAt: record?.dueAt,
            circuitOpenUntil,
            poll,
            related: related.map(({ key, look: one }) => ({
              ...key,
              conditions: 'object' in one ? (one.object.status?.conditions ?? []) : undefined,
              isThere: 'unknown' in one ? undefined : 'object' in one,
            })),
            passes,
            last,
            next,
          },
        });
      });
    });
};
