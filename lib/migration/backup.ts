/**
 * The file a migration begins with: a stream of YAML whose documents are JSON, one a line, so that `kubectl` takes it and no size of it has to fit
 * into memory. The first line says of which cluster it is, the last how many objects it holds: a file that broke off has no last line. Pure.
 */
import { PermanentError } from '../errors/expected.ts';
import type { KubeObject } from '../kube/object.ts';

const head = '# kpackless migrate: backup of ';
const tail = '# complete: ';
/** An object of the API server has 1.5 MiB at most; what is longer is no line of ours. */
const longestLine = 8 * 1024 * 1024;

/** The first line. `cluster` is for people: a context; `at` RFC 3339. */
export const firstLine = (cluster: string, at: string): string => `${head}${JSON.stringify({ cluster, at })}`;

/** JSON takes these as they are, but who reads lines, and YAML 1.1, end one there. */
const lineEnds = /[\u0085\u2028\u2029]/g;
const escaped = (end: string): string => `\\u${end.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** An object's lines. */
export const linesOf = (object: KubeObject): string => `---\n${JSON.stringify(object).replaceAll(lineEnds, escaped)}`;

/** The last line. */
export const lastLine = (objects: number): string => `${tail}${objects} objects`;

const broken = (why: string): PermanentError =>
  new PermanentError('Backup', `this is no backup that kpackless migrate run finished: ${why}`);

const parsed = (line: string, number: number): KubeObject => {
  try {
    return JSON.parse(line) as KubeObject;
  } catch {
    throw broken(`line ${number} is not an object`);
  }
};

/** Every object of a backup, in the order in which they were written. @throws PermanentError, when it is none or broke off */
export const objectsOf = async function* (lines: AsyncIterable<string>): AsyncGenerator<KubeObject> {
  let number = 0;
  let objects = 0;
  let last = '';
  for await (const line of lines) {
    number += 1;
    if (line.length > longestLine) throw broken(`line ${number} is longer than ${longestLine} characters`);
    if (number === 1 && !line.startsWith(head)) throw broken(`its first line does not begin with "${head.trimEnd()}"`);
    if (line.startsWith('{')) {
      objects += 1;
      yield parsed(line, number);
    }
    if (line !== '') last = line;
  }
  if (number === 0) throw broken('it is empty');
  if (last !== lastLine(objects))
    throw broken(`its last line is not "${lastLine(objects)}", so it broke off or was changed`);
};

/** How many objects there are of each kind. */
export class Counts {
  readonly #counts = new Map<string, number>();

  /** One more. */
  add({ kind = '' }: KubeObject): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
  }

  /** All. */
  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** `3 Builds, 1 Image`: in the order in which they were first met. */
  get shown(): string {
    return [...this.#counts].map(([kind, count]) => `${count} ${kind}${count === 1 ? '' : 's'}`).join(', ');
  }
}
