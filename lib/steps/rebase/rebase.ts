/** Rebases in a pod, for registries that only the pod can reach (spec 03 §13; DESIGN §3.13). */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { notRebasableExitCode } from '../../api/step-exit.ts';
import { PermanentError } from '../../errors/expected.ts';
import { UnsafeRebaseError } from '../../oci/base-length.ts';
import { openRegistry } from '../../oci/client.ts';
import { isOciError } from '../../oci/errors.ts';
import { firstOf } from '../../oci/keychain.ts';
import { type Rebased, rebaseImage } from '../../oci/rebase.ts';
import { parseReference, parseTag } from '../../oci/reference.ts';
import { createSession } from '../../oci/session.ts';
import { buildChangeLines } from '../build-changes.ts';
import { appended, credentialsFromFlags, credentialsInFolder, keychainOf } from '../docker-credentials.ts';
import { nodeKeychain } from '../node-keychain.ts';
import { StepFailure, type StepProcess } from '../step.ts';
import { rebaseOptions } from './options.ts';

/** Where Secrets are mounted (spec 03 §6). */
const secretsDir = '/var/build-secrets';

/** @throws UsageError, PermanentError (reason `NoTags` ends with code 3), StepFailure for what is to be built from source, OciError: one sentence each. */
export async function rebase(step: StepProcess, secrets: string = secretsDir): Promise<void> {
  const { env, log, signal } = step;
  const options = rebaseOptions(step);
  const [firstTag] = options.tags;
  if (firstTag === undefined) throw new PermanentError('NoTags', 'failed to must provide one or more image tags');
  for (const line of buildChangeLines(options.buildChanges)) log(line);
  log('Loading cluster credential helpers');
  let credentials = await credentialsFromFlags(options.dockerSecrets, secrets, log);
  for (const name of options.imagePull) {
    credentials = appended(credentials, await credentialsInFolder(join(secrets, name), log));
  }
  const shared = { keychain: firstOf(keychainOf(credentials), await nodeKeychain(env)), session: createSession() };
  const [tags, read] = [openRegistry(shared), openRegistry({ ...shared, access: 'read' })];
  const request = {
    app: parseReference(options.lastBuiltImage),
    runImage: parseReference(options.runImage),
    tags: options.tags.map(parseTag),
  };
  const made = await rebaseImage({ tags, app: read, runImage: read }, request, { signal }).catch(toldApart);
  log(`Saving ${firstTag}...`);
  log(`*** Images (${made.image.digest}):`);
  for (const tag of options.tags) log(`      ${tag}`);
  if (options.report !== '') {
    await mkdir(dirname(options.report), { recursive: true });
    await writeFile(options.report, rebaseReport(made, options.tags));
  }
}

/** What building from source mends has an exit code of its own. */
function toldApart(error: unknown): never {
  if (!(error instanceof UnsafeRebaseError) && !isOciError(error, 'invalid-content')) throw error;
  throw new StepFailure(notRebasableExitCode, error.message, { cause: error });
}

/** `report.toml` as the lifecycle writes it, for the completion step. */
function rebaseReport({ image, manifestSize }: Rebased, tags: readonly string[]): string {
  const list = tags.map((tag) => JSON.stringify(tag)).join(', ');
  return `[image]\n  tags = [${list}]\n  digest = "${image.digest}"\n  manifest-size = ${manifestSize}\n`;
}
