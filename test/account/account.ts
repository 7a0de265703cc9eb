/** An account of AWS on this machine: deployed to by osls, its functions as processes, its mappings polling, its permissions obeyed. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { stageSettingsIn } from '../../infra/settings/read.ts';
import { deduplicationIdOf, groupIdOf, type Message, targetOf } from '../../lib/queue/message.ts';
import { startMapping } from '../emulators/event-source-mapping.ts';
import { ensureQueues } from '../emulators/queues.ts';
import { startSqs } from '../emulators/sqs/server.ts';
import { startEmulatedAccount } from '../support/oracle-servers.ts';
import { administrator } from './administrator.ts';
import { type Account, type Deployed, deploy, lookAt, remove } from './deploy.ts';
import { type Eks, startEks } from './eks.ts';
import { type FunctionProcess, startFunction } from './function-process.ts';
import { type Gate, type Role, startGate } from './gate.ts';

const region = 'eu-west-1';
/** moto's. */
const accountId = '123456789012';

/** Temporary credentials. */
export interface Session {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

/** The account. */
export interface EmulatedAccount {
  readonly region: string;
  readonly gate: Gate;
  readonly eks: Eks;
  /** What osls said of the deployment. */
  readonly said: string;
  readonly deployed: Deployed;
  /** The running function whose name ends so. */
  function(name: string): FunctionProcess;
  /** What the SDK reads from the environment, for a process that is that role here. */
  environmentOf(role: Role): Promise<Readonly<Record<string, string>>>;
  /** Makes a stack of a template in infra/, and learns its roles. Gives its outputs. */
  stack(
    name: string,
    file: string,
    parameters: Readonly<Record<string, string>>,
  ): Promise<Readonly<Record<string, string>>>;
  /** Runs `npx kpackless` with these words as the account's administrator; then the roles that it made are known. @throws Error with what it said unless it ends with 0 */
  command(...words: readonly string[]): Promise<string>;
  /** Puts a secret into Parameter Store. */
  parameter(name: string, value: string): Promise<void>;
  /** Puts a message into the dead letters of a kind's queue. */
  bury(queue: string, message: Message): Promise<void>;
  /** Runs a bundle of the deployment as a process of its own, as what `environment` says. */
  run(bundle: string, environment: Readonly<Record<string, string>>): ChildProcess;
  /** Everything that functions and processes have logged. */
  lines(): readonly string[];
  /** Starts the functions and the mappings of their queues. */
  begin(): Promise<void>;
  /** Ends them; the account goes on. */
  pause(): Promise<void>;
  /** Removes what was deployed. Gives what osls said. */
  remove(): Promise<string>;
  close(): Promise<void>;
}

const xml = (text: string, name: string): string => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1] ?? '';

/** One call of a service that takes forms, as administrator. @throws Error with the service's answer */
const call = async (
  endpoint: string,
  service: string,
  parameters: Readonly<Record<string, string>>,
): Promise<string> => {
  const scope = `${administrator.accessKeyId}/20200101/${region}/${service}/aws4_request`;
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`,
      'content-type': 'application/x-www-form-urlencoded',
      host: `${service}.${region}.amazonaws.com`,
    },
    body: new URLSearchParams(parameters).toString(),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${service} ${parameters['Action'] ?? ''}: ${text}`);
  return text;
};

const commandProgram = fileURLToPath(new URL('../../infra/command/main.ts', import.meta.url));
/** `cluster remove` alone waits for more than a minute. */
const commandMilliseconds = 150_000;

/** Brings it up and deploys stage `prod` with the settings of a text as infra/settings/prod.yml would be; the reason in one line when Python or its packages cannot be had. */
export const startAccount = async (settings: string): Promise<EmulatedAccount | { readonly missing: string }> => {
  const moto = await startEmulatedAccount();
  if ('missing' in moto) return moto;
  const undo: (() => unknown)[] = [() => moto.close()];
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) await step();
  };
  try {
    const folder = mkdtempSync(join(tmpdir(), 'kpackless-account-'));
    undo.push(() => rmSync(folder, { recursive: true, force: true }));
    const stage = stageSettingsIn(settings, 'infra/settings/prod.yml');
    const account: Account = { endpoint: moto.endpoint, region, python: moto.python };
    const said = await deploy(folder, account, stage);
    const stackName = /deployed to stack (\S+)/.exec(said)?.[1] ?? '';
    const look = (): Promise<Deployed> => lookAt(account, stackName, join(folder, 'code'));
    const deployed = await look();
    const queues = await startSqs();
    undo.push(() => queues.close());
    await ensureQueues(
      new SQSClient({ region, endpoint: queues.endpoint, credentials: administrator }),
      deployed.outputs['QueuePrefix'] ?? '',
    );
    const eks = await startEks({ account: accountId, region });
    undo.push(() => eks.close());
    const upstream = { account: moto.endpoint, queues: queues.endpoint, eks: eks.endpoint };
    const gate = await startGate(upstream, { account: accountId, region });
    undo.push(() => gate.close());
    for (const role of deployed.roles) gate.learn(role);

    const become = async (role: Role): Promise<Session> => {
      const answer = await call(gate.endpoint, 'sts', {
        Action: 'AssumeRole',
        Version: '2011-06-15',
        RoleArn: role.arn,
        RoleSessionName: 'emulated',
      });
      return {
        accessKeyId: xml(answer, 'AccessKeyId'),
        secretAccessKey: xml(answer, 'SecretAccessKey'),
        sessionToken: xml(answer, 'SessionToken'),
      };
    };
    const environmentOf = async (role: Role): Promise<Readonly<Record<string, string>>> => {
      const { accessKeyId, secretAccessKey, sessionToken } = await become(role);
      return {
        AWS_REGION: region,
        AWS_ENDPOINT_URL: gate.endpoint,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_SESSION_TOKEN: sessionToken,
      };
    };
    /** The SDK goes to the host in a queue's URL, whatever endpoint it is told: that host is here. */
    const led = (environment: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
      Object.fromEntries(
        Object.entries(environment).map(([name, value]) => [
          name,
          value.replace(`https://sqs.${region}.amazonaws.com`, gate.endpoint),
        ]),
      );
    const roleOf = (arn: string): Role => {
      const role = deployed.roles.find((each) => each.arn === arn);
      if (role === undefined) throw new Error(`the account has no role ${arn}`);
      return role;
    };

    const lines: string[] = [];
    let running = new Map<string, FunctionProcess>();
    let stopMappings = new AbortController();
    let stopped: Promise<unknown> = Promise.resolve();
    const pause = async (): Promise<void> => {
      stopMappings.abort();
      await stopped;
      for (const each of running.values()) {
        each.stop();
        lines.push(...each.lines);
      }
      running = new Map();
    };
    undo.push(pause);
    const named = (name: string): FunctionProcess => {
      const [, found] = [...running].find(([full]) => full.endsWith(`-${name}`)) ?? [];
      if (found === undefined) throw new Error(`no function ${name} runs`);
      return found;
    };

    return {
      region,
      gate,
      eks,
      said,
      deployed,
      function: named,
      environmentOf,
      stack: async (name, file, given) => {
        const TemplateBody = await readFile(fileURLToPath(new URL(`../../infra/${file}`, import.meta.url)), 'utf8');
        const members = Object.entries(given).flatMap(([key, value], index) => [
          [`Parameters.member.${index + 1}.ParameterKey`, key],
          [`Parameters.member.${index + 1}.ParameterValue`, value],
        ]);
        await call(moto.endpoint, 'cloudformation', {
          Action: 'CreateStack',
          Version: '2010-05-15',
          StackName: name,
          TemplateBody,
          ...(Object.fromEntries(members) as Record<string, string>),
        });
        for (const role of (await look()).roles) gate.learn(role);
        const described = await call(moto.endpoint, 'cloudformation', {
          Action: 'DescribeStacks',
          Version: '2010-05-15',
          StackName: name,
        });
        return Object.fromEntries(
          [...described.matchAll(/<OutputKey>([^<]+)<\/OutputKey>\s*<OutputValue>([^<]*)<\/OutputValue>/g)].map(
            ([, key = '', value = '']) => [key, value],
          ),
        );
      },
      command: async (...words) => {
        const running = promisify(execFile)(process.execPath, [commandProgram, ...words], {
          env: {
            PATH: process.env['PATH'],
            AWS_REGION: region,
            AWS_ENDPOINT_URL: gate.endpoint,
            AWS_ACCESS_KEY_ID: administrator.accessKeyId,
            AWS_SECRET_ACCESS_KEY: administrator.secretAccessKey,
          },
          timeout: commandMilliseconds,
        });
        const { stdout } = await running.catch(
          ({ stdout, stderr }: { readonly stdout: string; readonly stderr: string }) => {
            throw new Error(`kpackless ${words.join(' ')} failed: ${stdout}${stderr}`);
          },
        );
        for (const role of (await look()).roles) gate.learn(role);
        return stdout;
      },
      parameter: async (name, Value) => {
        const scope = `${administrator.accessKeyId}/20200101/${region}/ssm/aws4_request`;
        const response = await fetch(moto.endpoint, {
          method: 'POST',
          headers: {
            authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`,
            'content-type': 'application/x-amz-json-1.1',
            'x-amz-target': 'AmazonSSM.PutParameter',
          },
          body: JSON.stringify({ Name: name, Value, Type: 'SecureString' }),
        });
        if (response.status !== 200) throw new Error(`ssm: ${await response.text()}`);
      },
      bury: async (queue, message) => {
        const sqs = new SQSClient({ region, endpoint: gate.endpoint, credentials: administrator });
        await sqs.send(
          new SendMessageCommand({
            QueueUrl: `${gate.endpoint}/${accountId}/${deployed.outputs['QueuePrefix'] ?? ''}${queue}-dlq.fifo`,
            MessageBody: JSON.stringify(message),
            MessageGroupId: groupIdOf(targetOf(message)),
            MessageDeduplicationId: deduplicationIdOf(message),
          }),
        );
      },
      run: (bundle, environment) => {
        const child = spawn(process.execPath, [join(folder, 'dist', bundle, 'main.mjs')], {
          env: { PATH: process.env['PATH'], ...led(environment) },
          stdio: ['ignore', 'pipe', 'pipe'],
        });
        const hear = (chunk: Buffer): void => void lines.push(...chunk.toString().split('\n').filter(Boolean));
        child.stdout.on('data', hear);
        child.stderr.on('data', hear);
        undo.push(() => child.kill('SIGKILL'));
        return child;
      },
      begin: async () => {
        stopMappings = new AbortController();
        const functions = await Promise.all(
          deployed.functions.map(async (each) => {
            const environment = await environmentOf(roleOf(each.roleArn));
            return [
              each,
              environment,
              await startFunction({ ...each, environment: led(each.environment) }, environment),
            ] as const;
          }),
        );
        running = new Map(functions.map(([{ name }, , process]) => [name, process]));
        stopped = Promise.all(
          deployed.mappings.map(({ queueArn, functionArn }) => {
            const [deployedFunction, environment, process] =
              functions.find(([{ name }]) => functionArn.endsWith(`:${name}`)) ?? [];
            if (deployedFunction === undefined || environment === undefined || process === undefined)
              throw new Error(`${queueArn} is mapped to ${functionArn}, which is not there`);
            const queue = queueArn.split(':').at(-1) ?? '';
            return startMapping(
              {
                // Lambda receives and deletes as the function's role.
                sqs: new SQSClient({
                  region,
                  endpoint: gate.endpoint,
                  credentials: {
                    accessKeyId: environment['AWS_ACCESS_KEY_ID'] ?? '',
                    secretAccessKey: environment['AWS_SECRET_ACCESS_KEY'] ?? '',
                  },
                }),
                queueUrl: `${gate.endpoint}/${accountId}/${queue}`,
                queueArn,
                timeoutSeconds: deployedFunction.timeoutSeconds,
                pollers: 1,
                invoke: async (event) => process.invoke(event) as never,
                warn: (what, why) => void lines.push(`${new Date().toISOString()} ${what}: ${String(why)}`),
              },
              stopMappings.signal,
            ).stopped;
          }),
        );
      },
      lines: () => [...lines, ...[...running.values()].flatMap((each) => each.lines)],
      pause,
      remove: () => remove(folder, account, stage),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
};
