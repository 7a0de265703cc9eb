/**
 * The way into the emulated account: finds out who asks, refuses what his role may not do, and hands the rest on. What is behind it looks at no resource
 * and at no condition, and gives every message the same sender; both are made good here.
 */
import { createServer, request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { administrator } from './administrator.ts';
import { type AwsRequest, askedFor, type Place, signedBy } from './asked.ts';
import { type Asked, decide, type Statement } from './permissions.ts';

/** A role of the account. */
export interface Role {
  readonly name: string;
  readonly arn: string;
  readonly id: string;
  readonly statements: readonly Statement[];
}

/** Something that was refused. */
export interface Refused extends Asked {
  readonly role: string;
}

/** The running gate. */
export interface Gate {
  /** `http://127.0.0.1:port` */
  readonly endpoint: string;
  /** Everything that was refused so far. */
  readonly refused: readonly Refused[];
  /** Actions that were used, as `role policy action`. */
  readonly used: ReadonlySet<string>;
  /** From now on whoever signs with that key is that role; undefined ends the role. */
  enter(accessKeyId: string, role: Role): void;
  /** Tells of a role that is made later, or whose policies have changed. */
  learn(role: Role): void;
  /** How many requests each role has made. */
  readonly requests: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** What SQS says of a message that none of our roles has sent. */
const nobody = 'AIDAADMINISTRATOR';

const bodyOf = async (stream: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
};

interface Answer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string;
}

const forward = (upstream: string, { host, method, path, headers, body }: AwsRequest): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(upstream);
    const outgoing = httpRequest(
      { hostname, port, method, path, headers: { ...(headers as OutgoingHttpHeaders), host } },
      (response) => {
        bodyOf(response).then(
          (text) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
          reject,
        );
      },
    );
    outgoing.once('error', reject);
    outgoing.end(body);
  });

/** A presigned question to STS, as the form that moto knows it by: it takes what is asked by GET for one to S3. */
const asForm = (request: AwsRequest): AwsRequest => {
  const { key, service } = signedBy(request);
  if (service !== 'sts' || request.method !== 'GET') return request;
  const body = request.path.split('?')[1] ?? '';
  const authorization = `AWS4-HMAC-SHA256 Credential=${key}/20200101/any/sts/aws4_request, SignedHeaders=host, Signature=0`;
  const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' };
  return { ...request, method: 'POST', path: '/', headers, body };
};

const denied = ({ service }: { readonly service: string }, { role, action, resource }: Refused): Answer => {
  const message = `${role} is not authorized to perform: ${action} on resource: ${resource}`;
  return service === 'sts'
    ? {
        status: 403,
        headers: { 'content-type': 'text/xml' },
        body: `<ErrorResponse><Error><Code>AccessDenied</Code><Message>${message}</Message></Error></ErrorResponse>`,
      }
    : {
        status: 400,
        headers: { 'content-type': 'application/x-amz-json-1.0' },
        body: JSON.stringify({ __type: 'com.amazon.coral.service#AccessDeniedException', message }),
      };
};

interface Sent {
  readonly MessageId?: string;
  readonly Successful?: readonly { readonly MessageId: string }[];
}
interface Received {
  readonly Messages?: readonly { readonly MessageId: string; readonly Attributes?: Readonly<Record<string, string>> }[];
}

/**
 * Starts it before moto and an SQS of its own: moto's gives a group of a FIFO queue to nobody while a poll waits that began when one of its messages
 * was in hand, up to 20 s, and counts receives that nobody got.
 */
export const startGate = async (
  upstream: { readonly account: string; readonly queues: string; readonly eks: string },
  place: Place,
): Promise<Gate> => {
  const ofService: Readonly<Record<string, string>> = { sqs: upstream.queues, eks: upstream.eks };
  const roles = new Map<string, Role>();
  const sessions = new Map<string, string>();
  /** Who sent each message, by its id. */
  const senders = new Map<string, string>();
  const refused: Refused[] = [];
  const used = new Set<string>();
  const requests = new Map<string, number>();

  /** Why the request is not handed on; undefined when it is. Writes down what is used. */
  const refusal = (role: Role, asked: readonly Asked[]): Refused | undefined => {
    for (const one of asked) {
      const decision = decide(role.statements, one);
      if (!decision.allowed) return { role: role.name, ...one };
      used.add(`${role.name} ${decision.by.policy} ${one.action}`);
    }
    return undefined;
  };

  /** Whoever receives may be faster than whoever sent, whose answer says the id. */
  const senderOf = async (id: string): Promise<string> => {
    for (let looks = 0; looks < 1000 && !senders.has(id); looks += 1) await sleep(10);
    return senders.get(id) ?? nobody;
  };

  /** Who may be seen in an answer: a session that begins, the sender of a message. */
  const learnFrom = async (request: AwsRequest, role: Role | undefined, answer: Answer): Promise<Answer> => {
    const { service } = signedBy(request);
    if (service === 'sts' && request.body.includes('Action=AssumeRole')) {
      const arn = new URLSearchParams(request.body).get('RoleArn') ?? '';
      const key = /<AccessKeyId>([^<]+)</.exec(answer.body)?.[1];
      if (key !== undefined) sessions.set(key, arn);
    }
    if (service !== 'sqs' || answer.status !== 200) return answer;
    const target = String(request.headers['x-amz-target'] ?? '');
    if (/SendMessage/.test(target)) {
      const { MessageId, Successful = [] } = JSON.parse(answer.body) as Sent;
      for (const id of [MessageId, ...Successful.map(({ MessageId: each }) => each)])
        if (id !== undefined) senders.set(id, role === undefined ? nobody : `${role.id}:session`);
    }
    if (!target.endsWith('.ReceiveMessage')) return answer;
    const received = JSON.parse(answer.body) as Received;
    const Messages =
      received.Messages &&
      (await Promise.all(
        received.Messages.map(async (message) => ({
          ...message,
          Attributes: { ...message.Attributes, SenderId: await senderOf(message.MessageId) },
        })),
      ));
    const body = JSON.stringify({ ...received, ...(Messages === undefined ? {} : { Messages }) });
    return { ...answer, headers: { 'content-type': 'application/x-amz-json-1.0' }, body };
  };

  const answer = async (request: AwsRequest): Promise<Answer> => {
    const { key, service } = signedBy(request);
    const arn = sessions.get(key);
    const role = arn === undefined ? undefined : roles.get(arn);
    if (role === undefined && key !== administrator.accessKeyId)
      throw new Error(`nobody of the account signs with ${key === '' ? 'no key' : key} (${request.path})`);
    if (role !== undefined) {
      requests.set(role.name, (requests.get(role.name) ?? 0) + 1);
      const no = refusal(role, askedFor(request, place));
      if (no !== undefined) {
        refused.push(no);
        return denied({ service }, no);
      }
    }
    return learnFrom(request, role, await forward(ofService[service] ?? upstream.account, asForm(request)));
  };

  const server = createServer((incoming, response) => {
    void (async () => {
      const request: AwsRequest = {
        host: String(incoming.headers['x-emulated-host'] ?? incoming.headers.host ?? ''),
        method: incoming.method ?? 'GET',
        path: incoming.url ?? '/',
        headers: incoming.headers,
        body: await bodyOf(incoming),
      };
      const { status, headers, body } = await answer(request).catch((error: unknown): Answer => {
        const why = error instanceof Error ? error.message : String(error);
        refused.push({ role: '', action: why, resource: request.path, context: {} });
        return { status: 500, headers: {}, body: why };
      });
      const { 'content-length': _length, 'transfer-encoding': _encoding, connection: _connection, ...kept } = headers;
      response.writeHead(status, { ...kept, 'content-length': Buffer.byteLength(body) }).end(body);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    refused,
    used,
    requests,
    enter: (accessKeyId, role) => {
      roles.set(role.arn, role);
      sessions.set(accessKeyId, role.arn);
    },
    learn: (role) => void roles.set(role.arn, role),
    close: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
};
