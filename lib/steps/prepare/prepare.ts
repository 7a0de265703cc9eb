/** First step of a build pod: checks access, fetches the source, and lays out what the lifecycle reads (spec 03 §10.1). */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FetchedSource, sourceMessage } from '../../builds/source-message.ts';
import { PermanentError } from '../../errors/expected.ts';
import { buildChangeLines } from '../build-changes.ts';
import { isSystemError, type StepProcess } from '../step.ts';
import type { BlobHelper } from './blob-source.ts';
import { beginGit } from './git-source.ts';
import { insidePath } from './inside.ts';
import { type PrepareOptions, prepareOptions } from './options.ts';
import { platformEnvironment, writePlatformEnvironment } from './platform-env.ts';
import type { RegistryLogins } from './registry-logins.ts';
import type { SourceContext } from './source.ts';

/** Where the pod mounts things (spec 03 §5). */
export interface PreparePaths {
  readonly workspace: string;
  readonly secretsDir: string;
  readonly platformDir: string;
  readonly metadataDir: string;
  readonly registrySecretsDir: string;
  readonly dockerConfig: string;
  /** Where the kubelet reads the container's last words, Kubernetes' own default: a file of this container alone. */
  readonly terminationMessage: string;
}

type AllPlaces = PreparePaths & SourceContext;

const podPaths: PreparePaths = {
  workspace: '/workspace',
  secretsDir: '/var/build-secrets',
  platformDir: '/platform',
  metadataDir: '/projectMetadata',
  registrySecretsDir: '/registrySourcePullSecrets',
  dockerConfig: '/builder/home/.docker/config.json',
  terminationMessage: '/dev/termination-log',
};

/** @throws UsageError, PermanentError, ExpectedError: one sentence for the log each. */
export async function prepare(step: StepProcess, given: PreparePaths = podPaths): Promise<void> {
  const options = prepareOptions(step);
  const paths = await placesFor(options, given);
  const changes = buildChangeLines(options.buildChanges);
  const scratch = await mkdtemp(join(tmpdir(), 'prepare-'));
  const stop = new AbortController();
  const signal = AbortSignal.any([step.signal, stop.signal]);
  let fetched: FetchedSource | undefined;
  const context = { ...paths, scratch, log: step.log, signal, fetched: (what: FetchedSource) => void (fetched = what) };
  const source = await beginSource(options, context);
  try {
    for (const line of changes) step.log(line);
    // Loaded while the objects of a git source are on their way, which is most of the time of this step.
    const { checkedLogins } = await import('./registry-logins.ts');
    const logins = await checkedLogins(options, paths.secretsDir, step);
    await source.finish(logins);
    await afterSource(options, paths, step);
    const { saveDockerConfig } = await import('../docker-credentials.ts');
    await saveDockerConfig(paths.dockerConfig, logins.credentials);
    await handedOver(paths.workspace, options);
    await saySource(fetched, paths.terminationMessage, step.log);
  } finally {
    // A build that may not push ends at once, and leaves no git behind.
    stop.abort();
    await source.ended;
    await rm(scratch, { recursive: true, force: true });
  }
}

/**
 * Says in the termination message what was fetched, for provenance. Last of all, as the message of a step that fails is its error's; where
 * there is no place for one, the build goes on and is not attested.
 */
async function saySource(fetched: FetchedSource | undefined, path: string, log: (line: string) => void): Promise<void> {
  if (fetched === undefined) return;
  try {
    await writeFile(path, sourceMessage(fetched));
  } catch (error) {
    if (!isSystemError(error)) throw error;
    log(`warning: the source cannot be told in ${path}: ${error.message}`);
  }
}

/** The same places, but for the workspace where other steps run meanwhile: a folder of it that they do not see. */
async function placesFor({ handOverTo }: PrepareOptions, paths: PreparePaths): Promise<PreparePaths> {
  if (handOverTo === '') return paths;
  const workspace = join(paths.workspace, 'source');
  await mkdir(workspace);
  return { ...paths, workspace };
}

async function handedOver(workspace: string, { handOverTo }: PrepareOptions): Promise<void> {
  if (handOverTo !== '') await (await import('./hand-over.ts')).handOver(workspace, handOverTo);
}

/** A source of any kind: that of git is on its way already, others wait until it is known that the build may push. */
interface AnySource {
  readonly finish: (logins: RegistryLogins) => Promise<void>;
  readonly ended: Promise<void>;
}

async function beginSource({ source }: PrepareOptions, context: AllPlaces): Promise<AnySource> {
  const ended = Promise.resolve();
  switch (source?.kind) {
    case undefined:
      return {
        ended,
        finish: () => Promise.reject(new PermanentError('', 'no git url, blob url, or registry image provided')),
      };
    case 'git':
      return beginGit(source, context);
    case 'blob':
      return {
        ended,
        finish: async () => (await import('./blob-source.ts')).fetchBlob(source, context, { helper: cloudHelper }),
      };
    case 'registry':
      return {
        ended,
        finish: async (logins) => {
          const [{ sourceLogins }, { fetchRegistryImage }] = await Promise.all([
            import('./registry-logins.ts'),
            import('./registry-source.ts'),
          ]);
          await fetchRegistryImage(
            source.image,
            context,
            await sourceLogins(logins, context.registrySecretsDir, context.log),
          );
        },
      };
  }
}

/** Loaded on first use: signing costs memory that no other source needs. */
const cloudHelper: BlobHelper = async (url, signal) => (await import('./s3-helper.ts')).s3Helper(url, signal);

/** What the source itself asks for, then what the Build does. */
async function afterSource(options: PrepareOptions, paths: PreparePaths, { env, log }: StepProcess): Promise<void> {
  await applyDescriptor(options, paths, log);
  const { image, name, kind } = options.builder;
  if (image !== '' && name !== '' && kind !== '') log(`Builder:\n Image: ${image} \n Name: ${name} \n Kind: ${kind} `);
  await writePlatformEnvironment(paths.platformDir, platformEnvironment(env));
}

async function applyDescriptor(
  { sourceSubPath, projectDescriptorPath }: PrepareOptions,
  { workspace, platformDir }: PreparePaths,
  log: (line: string) => void,
): Promise<void> {
  try {
    const appDir = await insidePath(workspace, sourceSubPath, 'source subPath');
    if (appDir === undefined) {
      throw new PermanentError('', `the source has no folder ${JSON.stringify(sourceSubPath)} (spec.source.subPath)`);
    }
    const { readProjectDescriptor } = await import('./project-descriptor.ts');
    const { filter, environment, notes } = await readProjectDescriptor(appDir, projectDescriptorPath);
    for (const note of notes) log(note);
    if (filter !== undefined) await (await import('./descriptor-filter.ts')).applyFilter(appDir, filter);
    await writePlatformEnvironment(platformDir, environment);
  } catch (error) {
    if (!(error instanceof PermanentError)) throw error;
    throw new PermanentError(error.reason, `error while processing the project descriptor: ${error.message}`, {
      cause: error,
    });
  }
}
