/**
 * Credentials that a program prints (client.authentication.k8s.io, `exec` of a kubeconfig). A program may take seconds and ask other services,
 * so it is run when its credential ends or is refused, within a deadline, and never for more than a tenth of the time.
 */
import { execFile } from 'node:child_process';
import * as v from 'valibot';
import { ExpectedError } from '../errors/expected.ts';
import type { Reading } from './access.ts';

/** What a kubeconfig says of the program. */
export interface CredentialProgram {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly apiVersion: string;
  /** What to tell whoever lacks it. */
  readonly installHint?: string | undefined;
  /** The cluster it is for, when it wants to know (`provideClusterInfo`). */
  readonly cluster?: object | undefined;
}

/** What it printed. */
export interface ProgramCredential {
  readonly token?: string | undefined;
  /** PEM. */
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  /** Milliseconds of the clock; undefined when it does not say. */
  readonly endsAt?: number | undefined;
}

/** Runs a program; gives what it wrote to its standard output. @throws ExpectedError */
export type RunProgram = (program: CredentialProgram) => Promise<string>;

const deadlineMilliseconds = 15_000;
const mostBytes = 1024 * 1024;
/** Again because of a refusal or a failure it is run no sooner, and no sooner than after ten times as long as it took. */
const shortestMilliseconds = 2000;
const share = 10;
/** A credential that names no end is asked for again after half an hour. */
const longestMilliseconds = 30 * 60_000;
/** It is asked for so long before its end, or a tenth of its life before where that is less. */
const aheadMilliseconds = 60_000;

const answerSchema = v.object({
  kind: v.literal('ExecCredential'),
  status: v.object({
    token: v.optional(v.pipe(v.string(), v.minLength(1))),
    clientCertificateData: v.optional(v.string()),
    clientKeyData: v.optional(v.string()),
    expirationTimestamp: v.optional(v.nullable(v.string())),
  }),
});

const failed = ({ command, installHint }: CredentialProgram, why: string, cause?: unknown): ExpectedError =>
  new ExpectedError(
    `the program ${command}, which the kubeconfig names for credentials, ${why}${installHint ? `; ${installHint}` : ''}`,
    { pace: 'slow', cause },
  );

const whyOf = (error: Error & { readonly code?: unknown; readonly killed?: boolean | undefined }): string => {
  if (error.killed === true) return `did not answer within ${deadlineMilliseconds / 1000} s`;
  if (error.code === 'ENOENT') return 'is not there';
  return typeof error.code === 'number'
    ? `failed with exit code ${error.code}: run it by hand to see why`
    : 'could not be run';
};

/** Runs it as a child process. What it says to its standard error stays there: it may hold what it was asked for. */
export const runProgram: RunProgram = (program) =>
  new Promise((resolve, reject) => {
    const info = {
      apiVersion: program.apiVersion,
      kind: 'ExecCredential',
      spec: { interactive: false, ...(program.cluster === undefined ? {} : { cluster: program.cluster }) },
    };
    const env = { ...process.env, ...program.env, KUBERNETES_EXEC_INFO: JSON.stringify(info) };
    const options = { env, timeout: deadlineMilliseconds, killSignal: 'SIGKILL', maxBuffer: mostBytes } as const;
    const child = execFile(program.command, [...program.args], options, (error, output) =>
      error === null ? resolve(output) : reject(failed(program, whyOf(error), error)),
    );
    // Nobody is there to be asked.
    child.stdin?.end();
  });

const credentialOf = (program: CredentialProgram, output: string): ProgramCredential => {
  let answer: unknown;
  try {
    answer = JSON.parse(output);
  } catch {
    throw failed(program, 'printed no JSON');
  }
  const parsed = v.safeParse(answerSchema, answer);
  if (!parsed.success) throw failed(program, 'printed no ExecCredential with a status');
  const { token, clientCertificateData: certificate, clientKeyData: key, expirationTimestamp } = parsed.output.status;
  if (token === undefined && (certificate === undefined || key === undefined))
    throw failed(program, 'printed neither a token nor a certificate with its key');
  const endsAt = Date.parse(expirationTimestamp ?? '');
  return { token, certificate, key, endsAt: Number.isNaN(endsAt) ? undefined : endsAt };
};

interface Run {
  /** Because what was printed before was refused. */
  readonly anew: boolean;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly outcome: { readonly credential: ProgramCredential } | { readonly error: unknown };
}

/** Whether the program may be run again at `now`: it is no burden. */
const mayRun = ({ anew, outcome, startedAt, endedAt }: Run, now: number): boolean =>
  (!anew && 'credential' in outcome) || now - endedAt >= Math.max(shortestMilliseconds, share * (endedAt - startedAt));

/** Whether a credential of `run` should be replaced soon. */
const isOld = ({ endedAt }: Run, { endsAt = endedAt + longestMilliseconds }: ProgramCredential, now: number): boolean =>
  now >= endsAt - Math.min(aheadMilliseconds, (endsAt - endedAt) / 10);

/** Gives the credential of the program of one kubeconfig, run when there is a reason. @throws ExpectedError */
export const programCredential = (
  clock: () => Date,
  run: RunProgram = runProgram,
): ((program: CredentialProgram, how: Reading) => Promise<ProgramCredential>) => {
  let asked = '';
  let last: Run | undefined;
  let running: Promise<Run> | undefined;

  const start = (program: CredentialProgram, anew: boolean): Promise<Run> => {
    const startedAt = clock().getTime();
    const ended = (outcome: Run['outcome']): Run => ({ anew, startedAt, endedAt: clock().getTime(), outcome });
    return run(program).then(
      (output) => {
        try {
          return ended({ credential: credentialOf(program, output) });
        } catch (error) {
          return ended({ error });
        }
      },
      (error: unknown) => ended({ error }),
    );
  };

  /** One run at a time. One that fails leaves what is still good. */
  const runOnce = (program: CredentialProgram, anew: boolean): Promise<Run> => {
    if (running !== undefined) return running;
    const mine: Promise<Run> = start(program, anew).then((ended) => {
      // The kubeconfig may name another program by now.
      if (running === mine) [running, last] = [undefined, ended];
      return ended;
    });
    running = mine;
    return mine;
  };

  const outcomeOf = ({ outcome }: Run): ProgramCredential => {
    if ('error' in outcome) throw outcome.error;
    return outcome.credential;
  };

  return async (program, { anew }) => {
    const now = clock().getTime();
    const asks = JSON.stringify(program);
    if (asks !== asked) [asked, last, running] = [asks, undefined, undefined];
    const known = last;
    if (known === undefined) return outcomeOf(await runOnce(program, anew));
    if (!mayRun(known, now)) return outcomeOf(known);
    if (anew || 'error' in known.outcome) return outcomeOf(await runOnce(program, anew));
    const { credential } = known.outcome;
    if (!isOld(known, credential, now)) return credential;
    const renewing = runOnce(program, false);
    // It is good for a while yet: nobody waits.
    const isGood = credential.endsAt === undefined || credential.endsAt > now;
    return isGood ? credential : outcomeOf(await renewing);
  };
};
