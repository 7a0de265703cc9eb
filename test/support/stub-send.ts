/** A `Send` with prepared answers, for the layers that wrap one. */
import type { HttpRequest, HttpResponse, Send } from '../../lib/oci/http.ts';

/** What to answer: a status with headers and body, or an error to throw. */
export type Prepared =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  | Error;

const answer = (request: HttpRequest, { status, headers = {}, body = '' }: Exclude<Prepared, Error>): HttpResponse => ({
  status,
  statusText: '',
  headers: new Headers(headers),
  url: request.url,
  body: (async function* () {
    yield Buffer.from(body);
  })(),
});

/** Answers in order, the last one again and again; remembers what was asked. */
export const stubSend = (
  ...prepared: readonly Prepared[]
): { readonly send: Send; readonly asked: readonly HttpRequest[] } => {
  const asked: HttpRequest[] = [];
  return {
    asked,
    send: (request) => {
      const next = prepared[Math.min(asked.length, prepared.length - 1)];
      asked.push(request);
      if (next === undefined) return Promise.reject(new Error('nothing prepared'));
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(answer(request, next));
    },
  };
};
