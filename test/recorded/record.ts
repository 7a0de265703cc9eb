/**
 * Makes pods end and wait on the local cluster in every way that this machine allows, and writes what the API server then holds of them into
 * `pods/`, for test/unit/builds/pod-table.test.ts: `node test/recorded/record.ts [name…]`.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { podRows } from '../../lib/builds/pod-table.ts';
import { inParallel } from '../../lib/oci/in-parallel.ts';
import { conditionOf } from '../../lib/reconcile/conditions.ts';
import { makeNamespace } from '../e2e/objects.ts';
import { forgetSuite, startSuite } from '../e2e/suite.ts';
import { waitFor } from '../e2e/wait.ts';
import { startPodWebhook } from '../support/pod-webhook.ts';
import { recordedEvents, recordedPod, recordedWords } from './anonymised.ts';
import { injections } from './injections.ts';
import { type NodeScenario, nodeScenarios } from './node-scenarios.ts';
import { quietScenarios } from './quiet-scenarios.ts';
import type { Scenario } from './scenario.ts';
import { isOf, makeBuild, namespaceOf, podOf, type Stage, stageOn } from './stage.ts';

const folder = join(import.meta.dirname, 'pods');
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const wanted = process.argv.slice(2);
const isWanted = ({ name }: Scenario): boolean => wanted.length === 0 || wanted.includes(name);

const kubernetesOf = async ({ suite }: Stage): Promise<string> =>
  (
    JSON.parse((await suite.transport.send({ method: 'GET', path: '/version' })).body) as {
      readonly gitVersion: string;
    }
  ).gitVersion;

const lastLine = async ({ suite }: Stage, { metadata }: Pod, step: string): Promise<string> => {
  const key = { kind: 'Pod', namespace: metadata?.namespace ?? '', name: metadata?.name ?? '' };
  return (await suite.kube.logTail(key, step, 1)).trimEnd();
};

/** What the Build said so far, and whether that is what the row says. */
const saidBy = ({ builds }: Stage, { name, row }: Scenario) => {
  const said = builds.versions
    .filter(({ metadata }) => metadata.namespace === namespaceOf(name))
    .map((build) => conditionOf(build, 'Succeeded'))
    .map((condition) => `${condition?.status ?? ''} ${condition?.reason ?? ''}`.trim());
  const { status, reason } = podRows.find(({ id }) => id === row) ?? { status: 'no such row', reason: '' };
  const wanted = `${status} ${reason}`.trim();
  return { all: [...new Set(said)], wanted, isSaid: said.includes(wanted) };
};

/** Waits until the Build says what the row says, and shows what it said instead. */
const compare = async (stage: Stage, scenario: Scenario): Promise<void> => {
  await waitFor(() => saidBy(stage, scenario).isSaid, { what: scenario.name, seconds: 45 }).catch(() => undefined);
  const { all, wanted, isSaid } = saidBy(stage, scenario);
  say(`${isSaid ? 'as the table says' : `NOT as the table says (${wanted})`}: ${scenario.name}: ${all.join(' → ')}`);
};

const record = async (stage: Stage, scenario: Scenario): Promise<void> => {
  const { name, row, how, is, seconds = 150, event, log } = scenario;
  const pod = await podOf(stage, name, is, seconds);
  // By name: the taint manager names no uid, and each name is that of one pod here.
  const isItsOwn = (told: { readonly involvedObject: { readonly namespace?: string; readonly name?: string } }) =>
    told.involvedObject.namespace === pod.metadata?.namespace && told.involvedObject.name === pod.metadata?.name;
  if (event !== undefined)
    await stage.events.first((told) => isItsOwn(told) && told.reason === event, `event ${event} of ${name}`, seconds);
  const line = log === undefined ? undefined : await lastLine(stage, pod, log).catch(() => undefined);
  const events = new Map(stage.events.versions.filter(isItsOwn).map((told) => [told.metadata.name, told]));
  const warnings = [...events.values()].filter(({ type, reason }) => type === 'Warning' || reason === event);
  const file = {
    row,
    how,
    kubernetes: await kubernetesOf(stage),
    pod: recordedPod(pod),
    ...(warnings.length > 0 && { events: recordedEvents(warnings, pod) }),
    ...(log !== undefined && line !== undefined && { log: { container: log, line: recordedWords(line) } }),
  };
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(file, undefined, 1)}\n`);
};

/** What went wrong, without all that was seen last. */
const words = (error: unknown): string =>
  error instanceof Error ? (error.message.split('; last seen')[0] ?? '') : String(error);

const recorded = async (stage: Stage, scenario: Scenario): Promise<void> => {
  try {
    await record(stage, scenario);
    say(`recorded ${scenario.name}`);
  } catch (error) {
    const last = stage.pods.versions.findLast(isOf(scenario.name));
    say(`could not record ${scenario.name}: ${words(error)}: ${JSON.stringify(recordedPod(last ?? {}).status)}`);
  }
};

/** Makes the Build and what there is before it. */
const begin = async (stage: Stage, { name, build, before }: Scenario): Promise<void> => {
  const namespace = namespaceOf(name);
  await makeNamespace(stage.suite, namespace);
  await before?.(stage, namespace);
  await makeBuild(stage, name, build);
};

/** Takes the Build away: what it holds of the node is for others. */
const forget = async ({ suite }: Stage, { name }: Scenario): Promise<void> =>
  suite.kube.delete((await suite.kube.get({ kind: 'Build', namespace: namespaceOf(name), name })) ?? {});

/** Scenarios that are played beside each other. */
const lanes = 12;

const playQuiet = async (stage: Stage): Promise<void> => {
  const scenarios = quietScenarios.filter(isWanted);
  await inParallel(scenarios, lanes, async (scenario) => {
    try {
      await begin(stage, scenario);
      await Promise.all([scenario.act?.(stage, scenario.name), recorded(stage, scenario)]);
      await compare(stage, scenario);
      await forget(stage, scenario);
    } catch (error) {
      say(`${scenario.name}: ${words(error)}`);
    }
  });
};

const playOnNode = async (stage: Stage, { scenarios, ready, happens, over }: NodeScenario): Promise<void> => {
  for (const scenario of scenarios) await begin(stage, scenario);
  for (const { name } of scenarios) await podOf(stage, name, ready);
  await Promise.all([
    happens(stage),
    ...scenarios.map((scenario) => Promise.all([scenario.act?.(stage, scenario.name), recorded(stage, scenario)])),
  ]);
  await over(stage);
  for (const scenario of scenarios) {
    await compare(stage, scenario);
    await forget(stage, scenario);
  }
};

const signal = new AbortController();
const suite = await startSuite();
try {
  await using _webhook = await startPodWebhook(suite.transport, injections(suite.images.run));
  const stage = await stageOn(suite, signal.signal);
  await playQuiet(stage);
  for (const scene of nodeScenarios.filter(({ scenarios }) => scenarios.some(isWanted))) {
    try {
      await playOnNode(stage, scene);
    } catch (error) {
      say(`${scene.scenarios[0]?.name ?? ''}: ${words(error)}`);
    }
  }
} finally {
  signal.abort();
  await suite.stop();
  await forgetSuite();
}
