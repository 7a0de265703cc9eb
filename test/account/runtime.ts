/**
 * Run as a program: what Lambda's runtime for Node does between the Runtime API and a handler. Names of AWS lead to the emulated account, whose address
 * is in AWS_ENDPOINT_URL, as a resolver of the account's network would lead them.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const variable = (name: string): string => process.env[name] ?? '';
const api = `http://${variable('AWS_LAMBDA_RUNTIME_API')}/2018-06-01/runtime`;
const account = variable('AWS_ENDPOINT_URL');

const platformFetch = globalThis.fetch;
const isOfAws = /^[a-z0-9.-]+\.amazonaws\.com$/;
globalThis.fetch = (input, init) => {
  const url = new URL(input instanceof Request ? input.url : input);
  if (!isOfAws.test(url.hostname)) return platformFetch(input, init);
  const headers = new Headers(init?.headers);
  headers.set('x-emulated-host', url.hostname);
  return platformFetch(new URL(`${url.pathname}${url.search}`, account), { ...init, headers });
};

const [file = '', exported = ''] = variable('_HANDLER').split(/\.(?=[^.]*$)/);
const { [exported]: handler } = (await import(
  pathToFileURL(join(variable('LAMBDA_TASK_ROOT'), `${file}.mjs`)).href
)) as Record<string, (event: unknown, context: object) => Promise<unknown>>;
if (handler === undefined) throw new Error(`${file} exports no ${exported}`);

for (;;) {
  const next = await platformFetch(`${api}/invocation/next`);
  const id = next.headers.get('lambda-runtime-aws-request-id') ?? '';
  const deadline = Number(next.headers.get('lambda-runtime-deadline-ms'));
  const context = { awsRequestId: id, getRemainingTimeInMillis: () => deadline - Date.now() };
  try {
    const answer = await handler(await next.json(), context);
    await platformFetch(`${api}/invocation/${id}/response`, { method: 'POST', body: JSON.stringify(answer ?? null) });
  } catch (error) {
    const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
    await platformFetch(`${api}/invocation/${id}/error`, { method: 'POST', body: said });
  }
}
