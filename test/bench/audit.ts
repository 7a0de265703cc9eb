/** The API server's own log of requests: who asked for what, to the microsecond, at no cost to the one who is measured. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { type AuditedRequest, requestOf } from '../support/audit-line.ts';

const writing = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/** Whether it changes something. */
export const isWrite = ({ verb }: Pick<AuditedRequest, 'verb'>): boolean => writing.has(verb);

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
  next(): readonly AuditedRequest[] {
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
