/** The SDK's way to an embedded service without sockets: an HTTP handler that calls its dispatcher directly (DESIGN §3.18). */

/** A request of one of AWS's JSON protocols, whatever carried it. */
export interface ProtocolRequest {
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
  /** Aborted when the client is gone. */
  readonly signal?: AbortSignal | undefined;
}

export interface ProtocolResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Answers a request; a refusal is an answer too, so it does not reject. */
export type Answer = (request: ProtocolRequest) => Promise<ProtocolResponse>;

/** The members of the SDK's HttpRequest that matter here. */
interface SdkRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface SdkResponse {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

/** The SDK hands over signals of its own kind as well; only this much is common to them. */
interface SdkSignal {
  readonly aborted: boolean;
  onabort: unknown;
}

/** Implements the SDK's HttpHandler. An aborted request rejects with AbortError, as the SDK's own handlers do. */
export class InProcessRequestHandler {
  readonly metadata = { handlerProtocol: 'http/1.1' };
  readonly #answer: Answer;

  constructor(answer: Answer) {
    this.#answer = answer;
  }

  async handle(
    { headers, body }: SdkRequest,
    { abortSignal }: { readonly abortSignal?: SdkSignal | AbortSignal } = {},
  ): Promise<{ readonly response: SdkResponse }> {
    const signal = abortSignal instanceof AbortSignal ? abortSignal : undefined;
    const lowered = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    const answer = await this.#answer({ headers: lowered, body: bodyText(body), signal });
    if (abortSignal?.aborted === true) {
      throw Object.assign(new Error('Request aborted'), { name: 'AbortError' });
    }
    return {
      response: { statusCode: answer.status, headers: { ...answer.headers }, body: Buffer.from(answer.body) },
    };
  }

  /** Nothing can be configured: there is no socket. */
  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): Record<string, never> {
    return {};
  }

  destroy(): void {}
}

const bodyText = (body: unknown): string => {
  if (typeof body === 'string') return body;
  return body instanceof Uint8Array ? new TextDecoder().decode(body) : '';
};
