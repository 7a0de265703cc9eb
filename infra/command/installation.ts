/** The installation that a command is about: its table and queues on AWS, or the file of standalone mode. */
import type { Depths, Letters } from '../../lib/queue/letters.ts';
import type { Scan } from '../../lib/state/scan.ts';
import type { Table } from '../../lib/state/table.ts';

/** Where it is, as the command line says. */
export interface Where {
  readonly output?: string;
  /** Everything on AWS is called after these two. */
  readonly prefix: string;
  readonly stage: string;
  readonly region?: string;
  readonly profile?: string;
  /** The file of standalone mode; nothing of AWS is then asked. */
  readonly database?: string;
  /** Its log, for the passes that it tells of. */
  readonly logFile?: string;
}

/** What an installation is called on AWS (serverless.yml, infra/*.yml). */
export interface Names {
  readonly table: string;
  /** Before the name of every queue. */
  readonly queuePrefix: string;
  /** Before the name of every function's log group. */
  readonly logGroupPrefix: string;
  /** Its stack in CloudFormation. */
  readonly stack: string;
}

/** What everything of an installation is called after: prefix and stage. */
export const namesOf = ({ prefix, stage }: Pick<Where, 'prefix' | 'stage'>): Names => {
  const name = `${prefix}-${stage}`;
  return { table: name, queuePrefix: `${name}-`, logGroupPrefix: `/aws/lambda/${name}-`, stack: name };
};

/** A pass, as a log tells of it. */
export interface LoggedPass {
  /** RFC 3339. */
  readonly at: string;
  /** What the line says happened, such as `pass finished`. */
  readonly what: string;
  readonly result?: string | undefined;
  readonly why?: string | undefined;
  readonly ms?: number | undefined;
}

/** An object, as log lines name it. */
export interface LoggedTarget {
  readonly cluster: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** What a command may do with it. */
export interface Installation extends AsyncDisposable {
  /** For people: `kpackless in eu-west-1`, or the file. */
  readonly shown: string;
  readonly isFile: boolean;
  readonly table: Table;
  readonly scan: Scan;
  readonly depths: Depths;
  readonly letters: Letters;
  /** The last passes of an object, the latest first; empty when no log is known. @throws ExpectedError */
  passes(target: LoggedTarget, queue: string): Promise<readonly LoggedPass[]>;
}

/** Whether a command only looks: a file that another process works with can then be looked at. */
export interface Opening {
  readonly writes: boolean;
}
