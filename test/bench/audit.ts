/** The API server's own log of requests: who asked for what, to the microsecond, at no cost to the one who is measured. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';

/** One answered request. Times are milliseconds since 1970, with fractions. */
export interface Request {
  readonly user: string;
  readonly verb: string;
  /** `images`, `images/status`. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly code: number;
  readonly receivedAt: number;
  readonly answeredAt: number;
}

interface Line {
  readonly verb: string;
  readonly user?: { readonly username?: string };
  readonly objectRef?: {
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number };
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
}

/** `2026-11-21T12:00:00.123456Z`: Date keeps only three digits. */
const millisecondsOf = (timestamp: string): number =>
  Date.parse(timestamp) + Number(`0.${/\.\d{3}(\d{1,3})/.exec(timestamp)?.[1] ?? '0'}`);

const requestOf = (text: string): Request => {
  const {
    verb,
    user,
    objectRef = {},
    responseStatus,
    requestReceivedTimestamp,
    stageTimestamp,
  } = JSON.parse(text) as Line;
  const { resource = '', subresource, namespace = '', name = '' } = objectRef;
  return {
    user: user?.username ?? '',
    verb,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    namespace,
    name,
    code: responseStatus?.code ?? 0,
    receivedAt: millisecondsOf(requestReceivedTimestamp),
    answeredAt: millisecondsOf(stageTimestamp),
  };
};

const writing = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/** Whether it changes something. */
export const isWrite = ({ verb }: Pick<Request, 'verb'>): boolean => writing.has(verb);

/** Reads what was appended since the last call. */
export class AuditLog {
  readonly #path: string;
  #offset: number;
  #rest = '';

  /** Begins at the present end of the log. */
  constructor(path: string) {
    this.#path = path;
    this.#offset = statSync(path).size;
  }

  /** Requests answered since the last call, in order of their answers. */
  next(): readonly Request[] {
    const { size } = statSync(this.#path);
    if (size < this.#offset) throw new Error(`${this.#path} was rotated: measure fewer Images at once`);
    const buffer = Buffer.alloc(size - this.#offset);
    const file = openSync(this.#path, 'r');
    try {
      this.#offset += readSync(file, buffer, 0, buffer.length, this.#offset);
    } finally {
      closeSync(file);
    }
    const lines = (this.#rest + buffer.toString('utf8')).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines.filter((line) => line !== '').map(requestOf);
  }
}
