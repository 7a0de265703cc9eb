/** What kpackless asked of the API server, from the server's own audit log. */
import { readFileSync } from 'node:fs';
import { type AuditedRequest, requestOf } from '../support/audit-line.ts';
import type { Suite } from './suite.ts';

const reading = new Set(['get', 'list']);

/** Requests of kpackless that arrived between two moments (milliseconds), watches apart, in order. */
export const requestsBetween = ({ cluster }: Suite, from: number, to: number): readonly AuditedRequest[] =>
  readFileSync(cluster.auditLogPath, 'utf8')
    .split('\n')
    .filter(
      (line) => line.includes('system:serviceaccount:kpack:kpackless') && line.includes('"stage":"ResponseComplete"'),
    )
    .map(requestOf)
    .filter(({ verb }) => verb !== 'watch')
    .filter(({ receivedAt }) => receivedAt >= from && receivedAt <= to)
    .toSorted((a, b) => a.receivedAt - b.receivedAt);

export const reads = (requests: readonly AuditedRequest[]): readonly AuditedRequest[] =>
  requests.filter(({ verb }) => reading.has(verb));

export const writes = (requests: readonly AuditedRequest[]): readonly AuditedRequest[] =>
  requests.filter(({ verb }) => !reading.has(verb));

/** For messages: `get images app`. */
export const show = (requests: readonly AuditedRequest[]): readonly string[] =>
  requests.map(({ verb, resource, name, code }) => `${verb} ${resource} ${name} ${code}`);
