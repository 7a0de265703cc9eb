/** Requests as a Lambda function URL or an API Gateway (HTTP API, payload 2.0) hands them over, and answers as it takes them. */
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { HookAnswer, HookRequest } from './request.ts';

/** What of such an event is used. */
export type UrlEvent = Pick<APIGatewayProxyEventV2, 'body' | 'headers' | 'isBase64Encoded'> & {
  readonly requestContext: { readonly http: { readonly method: string } };
};

/** The request in an event. */
export const requestIn = ({ requestContext, headers, body = '', isBase64Encoded }: UrlEvent): HookRequest => ({
  method: requestContext.http.method,
  headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
  body: Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'),
});

/** The answer as the event's giver wants it. */
export const resultFrom = ({ status, body }: HookAnswer): APIGatewayProxyStructuredResultV2 => ({
  statusCode: status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
