/**
 * A store that speaks S3, on loopback. Does: PUT of an object in path style, `if-none-match: *`, the signature and the hash of the body
 * checked by AWS' rules, answers that a test makes fail. Does not: anything else.
 */
import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

/** An object as it was put. */
interface StoredText {
  readonly body: Buffer;
  readonly headers: IncomingMessage['headers'];
}

/** Who may put objects. */
export const fakeIdentity = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'not-a-secret', sessionToken: 'session' };
export const fakeRegion = 'eu-west-1';

const hex = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** The signature that a request must carry, from its own headers (AWS Signature Version 4, single chunk). */
const signatureOf = (method: string, path: string, headers: IncomingMessage['headers']): string => {
  const authorization = headers.authorization ?? '';
  const [, scope = '', names = ''] =
    /Credential=[^/]+\/([^,]+), SignedHeaders=([^,]+), Signature=/u.exec(authorization) ?? [];
  const [day = '', region = '', service = ''] = scope.split('/');
  const canonical = names.split(';').map((name) => `${name}:${String(headers[name])}\n`);
  const request = [method, path, '', canonical.join(''), names, headers['x-amz-content-sha256']].join('\n');
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, hex(request)].join('\n');
  const key = [region, service, 'aws4_request'].reduce<Buffer>(
    (last, part) => hmac(last, part),
    hmac(`AWS4${fakeIdentity.secretAccessKey}`, day),
  );
  return hmac(key, text).toString('hex');
};

const refusal = (code: string): string =>
  `<?xml version="1.0"?><Error><Code>${code}</Code><Message>arn:aws:sts::123456789012:assumed-role/r</Message></Error>`;

/** A running store. */
export type FakeS3 = Awaited<ReturnType<typeof fakeS3>>;

/** Starts an empty store. Dispose of it. */
export const fakeS3 = async () => {
  const objects = new Map<string, StoredText>();
  const failures: { readonly status: number; readonly code: string }[] = [];
  let puts = 0;
  const server = createServer((request, response) => {
    const answer = (status: number, code = ''): void => {
      response.writeHead(status, { 'content-type': 'application/xml' }).end(code === '' ? '' : refusal(code));
    };
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      puts += 1;
      const body = Buffer.concat(chunks);
      const { method = '', url = '', headers } = request;
      const failure = failures.shift();
      if (failure !== undefined) return answer(failure.status, failure.code);
      if (method !== 'PUT') return answer(405, 'MethodNotAllowed');
      if (hex(body) !== headers['x-amz-content-sha256']) return answer(400, 'XAmzContentSHA256Mismatch');
      const isOurs = headers.authorization?.endsWith(`Signature=${signatureOf(method, url, headers)}`) === true;
      if (!isOurs || headers['x-amz-security-token'] !== fakeIdentity.sessionToken)
        return answer(403, 'SignatureDoesNotMatch');
      if (headers['if-none-match'] === '*' && objects.has(url)) return answer(412, 'PreconditionFailed');
      objects.set(url, { body, headers });
      return answer(200);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    /** Objects by `/bucket/key`. */
    objects,
    /** The text at an address that a condition names; undefined when nothing was put there. */
    textAt: (address: string): string | undefined => {
      const found = objects.get(URL.canParse(address) ? new URL(address).pathname : '');
      return found === undefined ? undefined : gunzipSync(found.body).toString('utf8');
    },
    /** Requests so far. */
    puts: (): number => puts,
    /** The next request gets this answer instead. */
    failNext: (status: number, code = '') => void failures.push({ status, code }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
