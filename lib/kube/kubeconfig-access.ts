/**
 * A kubeconfig as a way in: the file, the files it names (certificates, key, `tokenFile`) and its `exec` program. Any of them may be rewritten
 * at any time, also while it is read.
 */
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { load } from 'js-yaml';
import * as v from 'valibot';
import { ExpectedError, PermanentError } from '../errors/expected.ts';
import { type AccessSource, accessTo, type Server, type User } from './access.ts';
import {
  type CredentialProgram,
  type ProgramCredential,
  programCredential,
  type RunProgram,
} from './exec-credential.ts';
import { parseKubeconfig, unreadable } from './kubeconfig.ts';

/** What reading one needs. */
export interface KubeconfigPorts {
  readonly clock?: () => Date;
  /** How its program is run; as a child process without. */
  readonly run?: RunProgram;
}

/** `exec` of a user (client.authentication.k8s.io). */
const execSchema = v.object({
  command: v.pipe(v.string(), v.minLength(1)),
  args: v.optional(v.nullable(v.array(v.string())), []),
  env: v.optional(v.nullable(v.array(v.object({ name: v.string(), value: v.string() }))), []),
  apiVersion: v.optional(v.string(), 'client.authentication.k8s.io/v1'),
  installHint: v.optional(v.nullable(v.string())),
  provideClusterInfo: v.optional(v.nullable(v.boolean())),
});

/** The part that client-node's KubeConfig leaves out. */
const tokenFilesSchema = v.object({
  users: v.array(v.object({ name: v.string(), user: v.nullish(v.object({ tokenFile: v.nullish(v.string()) })) })),
});

const tokenFileOf = (text: string, user: string): string | undefined => {
  const parsed = v.safeParse(tokenFilesSchema, load(text));
  const found = parsed.success ? parsed.output.users.find(({ name }) => name === user) : undefined;
  return found?.user?.tokenFile ?? undefined;
};

/** A kubeconfig as it stands in its file. */
interface Parsed {
  readonly text: string;
  readonly server: Server;
  readonly user: User;
  readonly tokenFile: string | undefined;
}

const parse = (text: string, path: string, context: string | undefined): Parsed => {
  const config = parseKubeconfig(text, path, context);
  const server = config.getCurrentCluster();
  if (server === null)
    throw new PermanentError(
      'Kubeconfig',
      `the kubeconfig ${path} names no current cluster: set current-context or give --context`,
    );
  const user = config.getCurrentUser() ?? { name: '' };
  return { text, server, user, tokenFile: tokenFileOf(text, user.name) };
};

/** The content of a file that the kubeconfig names. */
const named = async (path: string, kubeconfig: string): Promise<Buffer> => {
  const failed = (why: string, cause?: unknown): ExpectedError =>
    new ExpectedError(`${path}, which the kubeconfig ${kubeconfig} names, ${why}`, { pace: 'slow', cause });
  const content = await readFile(path).catch((cause: unknown) => {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no access';
    throw failed(`cannot be read: ${code}`, cause);
  });
  // It is being written just now.
  if (content.length === 0) throw failed('is empty');
  return content;
};

/** The way in that the kubeconfig at `path` says, in `context` or its current one. */
export const kubeconfigAccess = (
  path: string,
  context?: string,
  { clock = () => new Date(), run }: KubeconfigPorts = {},
): AccessSource => {
  const folder = dirname(path);
  const absolute = (file: string): string => (isAbsolute(file) ? file : join(folder, file));
  const base64 = async (file: string | undefined, data: string | undefined): Promise<string | undefined> =>
    file ? (await named(file, path)).toString('base64') : data;
  const credential = programCredential(clock, run);

  const serverOf = async ({ caFile, caData, ...rest }: Server): Promise<Server> => {
    const ca = await base64(caFile, caData);
    return ca === undefined ? rest : { ...rest, caData: ca };
  };

  const programOf = (exec: unknown, server: Server): CredentialProgram => {
    const parsed = v.safeParse(execSchema, exec);
    if (!parsed.success)
      throw new PermanentError('Kubeconfig', `the kubeconfig ${path} has an exec without a command that can be run`);
    const { command, args, env, apiVersion, installHint, provideClusterInfo } = parsed.output;
    return {
      // As kubectl: a path is meant from the file's folder, a name is looked for.
      command: command.includes('/') ? absolute(command) : command,
      args: args ?? [],
      env: Object.fromEntries((env ?? []).map(({ name, value }) => [name, value])),
      apiVersion,
      installHint: installHint ?? undefined,
      cluster: provideClusterInfo === true ? clusterInfo(server) : undefined,
    };
  };

  const userOf = async (
    { user: { certFile, certData, keyFile, keyData, exec, token, ...rest }, tokenFile }: Parsed,
    server: Server,
    anew: boolean,
  ): Promise<User> => {
    const printed: ProgramCredential = exec ? await credential(programOf(exec, server), { anew }) : {};
    const read = tokenFile === undefined ? undefined : (await named(absolute(tokenFile), path)).toString('utf8').trim();
    const [cert, key] = await Promise.all([base64(certFile, certData), base64(keyFile, keyData)]);
    return {
      ...rest,
      ...defined('token', read ?? token ?? printed.token),
      ...defined('certData', cert ?? encoded(printed.certificate)),
      ...defined('keyData', key ?? encoded(printed.key)),
    };
  };

  let parsed: Parsed | undefined;
  return {
    read: async ({ anew }) => {
      const text = await readFile(path, 'utf8').catch((error: unknown) => {
        throw unreadable(path, error);
      });
      if (parsed?.text !== text) parsed = parse(text, path, context);
      const server = await serverOf(parsed.server);
      return accessTo(server, await userOf(parsed, server, anew));
    },
  };
};

const defined = <K extends string>(name: K, value: string | undefined): { readonly [key in K]?: string } =>
  (value === undefined ? {} : { [name]: value }) as { readonly [key in K]?: string };

const encoded = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : Buffer.from(text).toString('base64');

/** What a program is told of the cluster (client.authentication.k8s.io `Cluster`). */
const clusterInfo = ({ server, caData, skipTLSVerify, tlsServerName, proxyUrl }: Server): object => ({
  server,
  'certificate-authority-data': caData,
  'insecure-skip-tls-verify': skipTLSVerify,
  'tls-server-name': tlsServerName,
  'proxy-url': proxyUrl,
});
