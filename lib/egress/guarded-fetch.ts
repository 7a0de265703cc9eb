/** A fetch that goes only where the guard lets it. */
import { type ClientRequestArgs, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import { getCACertificates } from 'node:tls';
import { agentOptions, fetchOver, type NodeFetch } from './fetch.ts';
import { type EgressGuard, egressGuard, type GuardOptions, refusalOf } from './guard.ts';
import { type Judge, judgeInTheClear } from './policy.ts';
import { isProxied, proxying } from './proxied.ts';

type Created = (error: Error | null, stream: Duplex) => void;
type Create = (options: ClientRequestArgs, created?: Created) => Duplex | null | undefined;

/** Connects to what the guard lets through. An error goes to the callback: thrown, it would end the process when a queued request is next. */
const connecting = (
  guard: EgressGuard,
  options: ClientRequestArgs,
  created: Created | undefined,
  create: Create,
): Duplex | null | undefined => {
  const refusal = guard.ofLiteral(options.host ?? '');
  if (refusal === undefined) return create({ ...options, lookup: guard.lookup }, created);
  // The callback of an agent takes an error alone.
  process.nextTick(created as (error: Error) => void, refusal);
  return undefined;
};

/** The agent, whose connections lead only to what the guard lets through. */
const guarded = <A extends HttpAgent>(agent: A, guard: EgressGuard): A => {
  const create: Create = agent.createConnection.bind(agent);
  agent.createConnection = (options: ClientRequestArgs, created?: Created) =>
    connecting(guard, options, created, create);
  return agent;
};

/** How a guarded fetch differs from the usual one. */
export interface GuardedFetchOptions extends GuardOptions {
  /** PEM certificates that hosts may be vouched for by, beside the usual ones. */
  readonly ca?: string | undefined;
  /** Where plain http may lead: wherever https may, or only among loopback and private addresses. */
  readonly plainHttp: 'anywhere' | 'among private addresses';
}

/**
 * The fetch. It rejects with EgressRefused before anything is sent. Behind a proxy of the operator's, whose own address is not judged, the host is
 * judged by what its name leads to here; a name that only the proxy can resolve is the proxy's to refuse.
 */
export const guardedFetch = (judge: Judge, { ca, plainHttp, ...options }: GuardedFetchOptions): NodeFetch => {
  const secure = egressGuard(judge, options);
  const clear = plainHttp === 'anywhere' ? secure : egressGuard(judgeInTheClear(judge), options);
  const trust = ca === undefined ? {} : { ca: [...getCACertificates('default'), ca] };
  const fetch = proxying((given) => {
    const all = { ...agentOptions, ...given };
    return fetchOver({
      http: guarded(new HttpAgent(all), clear),
      https: guarded(new HttpsAgent({ ...all, ...trust }), secure),
    });
  });
  if (!isProxied()) return fetch;
  return async (url, init) => {
    const refusal = await refusalOf(url.protocol === 'https:' ? secure : clear, url.hostname);
    if (refusal !== undefined) throw refusal;
    return fetch(url, init);
  };
};
