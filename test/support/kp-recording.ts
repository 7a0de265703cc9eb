/** The recorded requests of `kp`, as they are sent to another API server (test/recordings/kp.json). */
import type { KubeRequest } from '../../lib/kube/transport.ts';
import { golden } from './golden.ts';

/** A request that `kp` made and how it was answered. */
export interface KpRequest {
  readonly verb: 'create' | 'delete' | 'get' | 'list' | 'patch' | 'watch';
  readonly uri: string;
  readonly code: number;
  readonly body?: unknown;
}

/** A command with the requests it made. */
export interface KpCommand {
  readonly command: string;
  readonly exit: number;
  readonly requests: readonly KpRequest[];
}

/** The audit log tells of a watch twice: when it begins and when it ends. */
const isNew = (request: KpRequest, index: number, all: readonly KpRequest[]): boolean => {
  const isStream = request.verb === 'watch' || request.uri.includes('/log?');
  return !isStream || all.findIndex(({ uri }) => uri === request.uri) === index;
};

/** Every command, in its order. */
export const kpCommands: readonly KpCommand[] = (golden('kp.json') as readonly KpCommand[]).map((one) => ({
  ...one,
  requests: one.requests.filter(isNew),
}));

const methods = { create: 'POST', delete: 'DELETE', get: 'GET', list: 'GET', patch: 'PATCH', watch: 'GET' } as const;

/** Lists of Kubernetes' own objects are merged by their keys, as kp asks for it; custom resources know no such patch. */
const patchOf = (path: string): string =>
  path.startsWith('/api/v1/') ? 'application/strategic-merge-patch+json' : 'application/merge-patch+json';

/** The request as it is sent here: a watch begins at `resourceVersion`, as versions are a server's own. */
export const asSent = ({ verb, uri, body }: KpRequest, resourceVersion?: string): KubeRequest => {
  const { pathname, searchParams } = new URL(uri, 'https://server');
  const query = {
    ...Object.fromEntries(searchParams),
    ...(verb === 'watch' && { resourceVersion }),
  };
  return {
    method: methods[verb],
    path: pathname,
    query,
    ...(body !== undefined && verb !== 'delete' && { body: JSON.stringify(body) }),
    ...(verb === 'create' && { contentType: 'application/json' }),
    ...(verb === 'patch' && { contentType: patchOf(pathname) }),
  };
};
