/** A transport whose requests are counted, each that is sent, by method and status. */
import type { Metrics } from '../metrics/metrics.ts';
import { KubeError } from './errors.ts';
import { type KubeRequest, type KubeTransport, transportWith } from './transport.ts';

const statusOf = (error: unknown): number => (error instanceof KubeError ? (error.status ?? 0) : 0);

/** `transport`, counted as `ApiRequests`. What got no answer has status 0; of a stream its beginning counts. */
export const countedTransport = (transport: KubeTransport, metrics: Pick<Metrics, 'add'>): KubeTransport => {
  const counted = async <T>(
    { method }: KubeRequest,
    sending: Promise<T>,
    statusIn: (answer: T) => number,
  ): Promise<T> => {
    const count = (status: number): void => metrics.add('ApiRequests', { method, status: String(status) });
    try {
      const answer = await sending;
      count(statusIn(answer));
      return answer;
    } catch (error) {
      count(statusOf(error));
      throw error;
    }
  };
  return transportWith(transport, {
    send: (request) => counted(request, transport.send(request), ({ status }) => status),
    stream: (request) => counted(request, transport.stream(request), ({ statusCode = 200 }) => statusCode),
  });
};
