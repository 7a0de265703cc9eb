/** What kpackless asked of the API server, from the server's own audit log. */
import { readFileSync } from 'node:fs';
import type { Suite } from './suite.ts';

/** One finished request. */
export interface AuditedRequest {
  readonly verb: string;
  /** `images/status`, `pods` … */
  readonly resource: string;
  /** Empty for what belongs to no namespace. */
  readonly namespace: string;
  readonly name: string;
  /** Milliseconds since the epoch, when it arrived. */
  readonly at: number;
  readonly status: number;
}

interface AuditLine {
  readonly stage: string;
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
}

const reading = new Set(['get', 'list']);

/** Requests of kpackless that arrived between two moments (milliseconds), watches apart, in order. */
export const requestsBetween = ({ cluster }: Suite, from: number, to: number): readonly AuditedRequest[] =>
  readFileSync(cluster.auditLogPath, 'utf8')
    .split('\n')
    .filter((line) => line.includes('system:serviceaccount:kpack:kpackless'))
    .map((line) => JSON.parse(line) as AuditLine)
    .filter(({ stage, verb }) => stage === 'ResponseComplete' && verb !== 'watch')
    .map(({ verb, objectRef, responseStatus, requestReceivedTimestamp }) => ({
      verb,
      resource: [objectRef?.resource, objectRef?.subresource].filter((part) => part !== undefined).join('/'),
      namespace: objectRef?.namespace ?? '',
      name: objectRef?.name ?? '',
      at: Date.parse(requestReceivedTimestamp),
      status: responseStatus?.code ?? 0,
    }))
    .filter(({ at }) => at >= from && at <= to)
    .toSorted((a, b) => a.at - b.at);

export const reads = (requests: readonly AuditedRequest[]): readonly AuditedRequest[] =>
  requests.filter(({ verb }) => reading.has(verb));

export const writes = (requests: readonly AuditedRequest[]): readonly AuditedRequest[] =>
  requests.filter(({ verb }) => !reading.has(verb));

/** For messages: `get images app`. */
export const show = (requests: readonly AuditedRequest[]): readonly string[] =>
  requests.map(({ verb, resource, name, status }) => `${verb} ${resource} ${name} ${status}`);
