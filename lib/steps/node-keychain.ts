/** Credentials of the place the pod runs in, which every step may use (spec 03 §10.1 step 5, §16.4). */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ecrKeychain } from '../oci/ecr.ts';
import { getEcrToken } from '../oci/ecr-token.ts';
import { firstOf, type Keychain } from '../oci/keychain.ts';
import { credentialsInConfigFile, keychainOf } from './docker-credentials.ts';

/** The docker configuration of the process, then the AWS identity of the pod for ECR hosts. */
export async function nodeKeychain(env: Readonly<Record<string, string | undefined>>): Promise<Keychain> {
  const folder = env['DOCKER_CONFIG'] || join(env['HOME'] || homedir(), '.docker');
  return firstOf(keychainOf(await credentialsInConfigFile(join(folder, 'config.json'))), ecrKeychain(getEcrToken));
}
