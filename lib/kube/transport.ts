/** HTTP to one API server, on client-node's KubeConfig: its authentication, its agent, made once and kept alive. */
import {
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestOptions,
} from 'node:http';
import { Agent as HttpsAgent, type RequestOptions as HttpsOptions, request as httpsRequest } from 'node:https';
import { createSecureContext } from 'node:tls';
import type { KubeConfig } from '@kubernetes/client-node';
import { PermanentError } from '../errors/expected.ts';
import { networkCause } from '../errors/network-cause.ts';
import { Ending } from './ending.ts';
import { answerError, KubeError } from './errors.ts';
import { remembered } from './remembered.ts';

/** One request. `deadlineSeconds` bounds connecting, waiting and reading, whatever the caller does (DESIGN §3.14). */
export interface KubeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
  readonly contentType?: string;
  readonly accept?: string;
  readonly signal?: AbortSignal | undefined;
  readonly deadlineSeconds?: number;
  /** When the time of who asks is over, in milliseconds since 1970: nothing is made again after that. */
  readonly until?: number | undefined;
}

/** A whole answer that was a success. */
export interface KubeAnswer {
  readonly status: number;
  readonly body: string;
}

/** The one way to an API server. */
export interface KubeTransport {
  /** Host and port, for messages and circuits. */
  readonly server: string;
  /** Reads the whole answer. @throws KubeError, PermanentError */
  send(request: KubeRequest): Promise<KubeAnswer>;
  /** Hands on the answer's stream once its status is known to be a success. @throws KubeError */
  stream(request: KubeRequest): Promise<IncomingMessage>;
  /**
   * While the server refuses what we enter with, resolves when it may be asked again: that has changed, or was long enough ago. Undefined when
   * nothing is known to be refused.
   */
  refusalOver?(signal: AbortSignal): Promise<void> | undefined;
  /** Ends its connections: those that rest at once, those in use at once as well or after so many milliseconds. Nothing is asked of it afterwards. */
  close(afterMilliseconds?: number): void;
}

/** Another way of doing some of what a transport does; the rest is its own. */
export const transportWith = (
  transport: KubeTransport,
  changed: Partial<Omit<KubeTransport, 'server'>>,
): KubeTransport => ({
  get server() {
    return transport.server;
  },
  send: changed.send ?? ((request) => transport.send(request)),
  stream: changed.stream ?? ((request) => transport.stream(request)),
  refusalOver: changed.refusalOver ?? ((signal) => transport.refusalOver?.(signal)),
  close: changed.close ?? ((afterMilliseconds) => transport.close(afterMilliseconds)),
});

/** Ten seconds is far above any healthy answer and far below a function's time-out. */
const defaultDeadlineSeconds = 10;
/** A connection that rested for longer is not used again: the API server closes it after 90 s. Only unused ones are closed by it. */
const idleMilliseconds = 60_000;
/** Connections that died while the process was frozen are found out one by one. */
const triesOnStaleConnection = 4;
/** A list page of 500 objects with 1.5 MiB etcd limit each cannot come near; what is longer is not an answer of ours. */
const maxAnswerBytes = 64 * 1024 * 1024;

/** A kept connection failed. That the server has closed it meanwhile says nothing about the server. */
class StaleConnection extends Error {
  override readonly cause: Error;

  constructor(cause: Error) {
    super(cause.message);
    this.cause = cause;
  }
}

/** The whole body. Listeners take a third of the processor time that an async iterator takes for one chunk. */
const readAll = (response: IncomingMessage): Promise<string> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size > maxAnswerBytes)
        response.destroy(new Error(`the API server's answer is longer than ${maxAnswerBytes} bytes`));
    });
    response.on('end', () => resolve(Buffer.concat(chunks, size).toString('utf8')));
    response.on('error', reject);
    response.on('close', () => reject(new Error('the connection was closed in the middle of the answer')));
  });

const queryString = (query: KubeRequest['query'] = {}): string => {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, value);
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
};

/** A failure without an answer, as KubeError; answers of ours that are errors already pass through. */
const asKubeError = (error: unknown, what: string, server: string, seconds: number): Error => {
  if (!(error instanceof Error) || error instanceof KubeError) return error as Error;
  if (error.name === 'PermanentError') return error;
  const timedOut = error.name === 'TimeoutError' || error.name === 'AbortError';
  return timedOut
    ? new KubeError('timeout', `${what}: no answer from ${server} within ${seconds} s`, { cause: error, host: server })
    : new KubeError('unreachable', `${what}: cannot reach the API server at ${server}: ${networkCause(error)}`, {
        cause: error,
        host: server,
      });
};

/** Everything client-node knows for connections and requests. */
const applied = async (config: KubeConfig): Promise<HttpsOptions> => {
  const options: HttpsOptions = {};
  await config.applyToHTTPSOptions(options);
  return options;
};

/** An agent whose connections all lead to one server: Node would make a name of certificates and keys three times a request. */
class OneServerAgent extends HttpsAgent {
  override getName(): string {
    return 'api';
  }
}

/** TLS material is taken from the KubeConfig once; the Authorization header each second, as those of EKS are made anew. */
const makeAgent = async (config: KubeConfig, url: URL): Promise<HttpAgent | HttpsAgent> => {
  const limits = { keepAlive: true, maxSockets: 64, maxFreeSockets: 64, timeout: idleMilliseconds };
  if (url.protocol === 'http:') return new HttpAgent(limits);
  const options = await applied(config);
  if (config.getCurrentCluster()?.proxyUrl !== undefined && options.agent instanceof HttpAgent) return options.agent;
  const { ca, cert, key, rejectUnauthorized, servername } = options;
  return new OneServerAgent({
    ...limits,
    // Read once, not for each connection.
    secureContext: createSecureContext({
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
    ...(servername === undefined ? {} : { servername }),
  });
};

/** Ends connections that rest, now and when they come to rest; the others too after so long. */
const closeAgent = (agent: HttpAgent | HttpsAgent, afterMilliseconds: number): void => {
  if (afterMilliseconds === 0) return agent.destroy();
  agent.maxFreeSockets = 0;
  for (const socket of Object.values(agent.freeSockets).flatMap((sockets) => sockets ?? [])) socket.destroy();
  setTimeout(() => agent.destroy(), afterMilliseconds).unref();
};

/** Milliseconds that an Authorization header is used again: asking client-node reads and decodes the certificates each time. */
const believedMilliseconds = 1000;

/** Opens a transport to the current context's cluster. No request is made yet. */
export const kubeTransport = (config: KubeConfig): KubeTransport => {
  const cluster = config.getCurrentCluster();
  if (cluster === null)
    throw new PermanentError(
      'Kubeconfig',
      'the kubeconfig names no current cluster: set current-context or give --context',
    );
  const base = new URL(cluster.server);
  const prefix = base.pathname.replace(/\/$/, '');
  const agent = remembered(() => makeAgent(config, base), Number.POSITIVE_INFINITY);
  const authentication = remembered(
    (): Promise<HttpsOptions> => (base.protocol === 'https:' ? applied(config) : Promise.resolve({})),
    believedMilliseconds,
  );
  let isOpen = false;

  const open = async (request: KubeRequest, ending: Ending): Promise<IncomingMessage> => {
    isOpen = true;
    const { headers, auth } = await authentication();
    const options: RequestOptions = {
      method: request.method,
      host: base.hostname,
      port: base.port,
      path: `${prefix}${request.path}${queryString(request.query)}`,
      agent: await agent(),
      headers: {
        ...(headers as OutgoingHttpHeaders | undefined),
        accept: request.accept ?? 'application/json',
        'user-agent': 'kpackless',
        ...(request.body === undefined
          ? {}
          : {
              'content-type': request.contentType ?? 'application/json',
              'content-length': Buffer.byteLength(request.body),
            }),
      },
      ...(auth == null ? {} : { auth }),
    };
    const once = (): Promise<IncomingMessage> =>
      new Promise((resolve, reject) => {
        const outgoing = (base.protocol === 'https:' ? httpsRequest : httpRequest)(options, resolve);
        outgoing.on('error', (error) => reject(outgoing.reusedSocket ? new StaleConnection(error) : error));
        ending.hold(outgoing);
        outgoing.end(request.body);
      });
    for (let tries = 1; ; tries += 1) {
      if (ending.why !== undefined) throw ending.why;
      try {
        return await once();
      } catch (error) {
        if (!(error instanceof StaleConnection)) throw error;
        // Only reads are safe to repeat.
        if (request.method !== 'GET' || ending.why !== undefined || tries === triesOnStaleConnection) throw error.cause;
      }
    }
  };

  const perform = async <T>(
    request: KubeRequest,
    read: (response: IncomingMessage, ending: Ending) => T | Promise<T>,
  ): Promise<T> => {
    const seconds = request.deadlineSeconds ?? defaultDeadlineSeconds;
    const ending = new Ending(Math.ceil(seconds * 1000), request.signal);
    const what = `${request.method} ${request.path}`;
    try {
      const response = await open(request, ending);
      ending.hold(response);
      const status = response.statusCode ?? 0;
      if (status < 200 || status > 299)
        throw answerError(what, status, await readAll(response), response.headers['retry-after']);
      return await read(response, ending);
    } catch (error) {
      ending.over();
      throw asKubeError(error, what, base.host, seconds);
    }
  };

  return {
    server: base.host,
    send: (request) =>
      perform(request, async (response, ending) => {
        const body = await readAll(response);
        ending.over();
        return { status: response.statusCode ?? 0, body };
      }),
    stream: (request) => perform(request, (response, ending) => response.once('close', () => ending.over())),
    close: (afterMilliseconds = 0) => {
      if (isOpen)
        agent().then(
          (opened) => closeAgent(opened, afterMilliseconds),
          () => undefined, // nothing was ever opened
        );
    },
  };
};
