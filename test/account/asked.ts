/** What an HTTP request to AWS asks for, in IAM's words: who, which action, of which resource. The services that our code speaks to, and no other. */
import type { Asked } from './permissions.ts';

/** A request as it came. */
export interface AwsRequest {
  readonly host: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

/** Where the emulated account is. */
export interface Place {
  readonly account: string;
  readonly region: string;
}

type Json = Readonly<Record<string, unknown>>;

const header = ({ headers }: AwsRequest, name: string): string => {
  const value = headers[name];
  return typeof value === 'string' ? value : '';
};

/** Access key and service, as the signature says them (Signature Version 4, "Credential scope"). */
export const signedBy = (request: AwsRequest): { readonly key: string; readonly service: string } => {
  const query = new URLSearchParams(request.path.split('?')[1] ?? '');
  const credential =
    /Credential=([^,\s]+)/.exec(header(request, 'authorization'))?.[1] ?? query.get('X-Amz-Credential') ?? '';
  const [key = '', , , service = ''] = credential.split('/');
  return { key, service };
};

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const recordIn = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {});

/** Partition keys that a call of DynamoDB names: of its key, its item, its batch, its query. */
const leadingKeys = (body: Json): readonly string[] => {
  const pkOf = (item: unknown): readonly string[] => {
    const pk = textOf(recordIn(recordIn(item)['pk'])['S']);
    return pk === undefined ? [] : [pk];
  };
  const batch = Object.values(recordIn(body['RequestItems'])).flatMap((wanted) => {
    const keys = recordIn(wanted)['Keys'];
    return Array.isArray(keys) ? keys.flatMap(pkOf) : [];
  });
  if (body['IndexName'] !== undefined || body['KeyConditionExpression'] === undefined)
    return [...pkOf(body['Key']), ...pkOf(body['Item']), ...batch];
  const condition = textOf(body['KeyConditionExpression']) ?? '';
  const named = /(?:^|\s|\()(?:pk|#pk)\s*=\s*(:\w+)/.exec(condition)?.[1] ?? '';
  const value = textOf(recordIn(recordIn(body['ExpressionAttributeValues'])[named])['S']);
  if (value === undefined) throw new Error(`which partition is queried by ${condition}?`);
  return [value];
};

const ofDynamoDb = (action: string, body: Json, { account, region }: Place): readonly Asked[] => {
  const tables = [textOf(body['TableName']) ?? '', ...Object.keys(recordIn(body['RequestItems']))].filter(Boolean);
  const index = textOf(body['IndexName']);
  return tables.map((table) => ({
    action: `dynamodb:${action}`,
    resource: `arn:aws:dynamodb:${region}:${account}:table/${table}${index === undefined ? '' : `/index/${index}`}`,
    context: { 'dynamodb:LeadingKeys': leadingKeys(body) },
  }));
};

/** A batch is granted as what it is a batch of. */
const ofSqs = (action: string, body: Json, { account, region }: Place): readonly Asked[] => {
  const queue = (textOf(body['QueueUrl']) ?? textOf(body['SourceArn']) ?? '').split(/[/:]/).at(-1) ?? '';
  const arn = `arn:aws:sqs:${region}:${account}:${queue}`;
  return [{ action: `sqs:${action.replace(/Batch$/, '')}`, resource: arn, context: {} }];
};

const ofSsm = (action: string, body: Json, { account, region }: Place): readonly Asked[] => [
  {
    action: `ssm:${action}`,
    resource: `arn:aws:ssm:${region}:${account}:parameter/${(textOf(body['Name']) ?? '').replace(/^\//, '')}`,
    context: {},
  },
];

/** Everybody may ask who he is. */
const ofSts = ({ body }: AwsRequest): readonly Asked[] => {
  const parameters = new URLSearchParams(body);
  const action = parameters.get('Action') ?? 'GetCallerIdentity';
  if (action === 'GetCallerIdentity') return [];
  return [{ action: `sts:${action}`, resource: parameters.get('RoleArn') ?? '*', context: {} }];
};

/** What is asked for; empty when nobody needs a permission for it. @throws Error when that is not known here */
export const askedFor = (request: AwsRequest, place: Place): readonly Asked[] => {
  const { service } = signedBy(request);
  const action = header(request, 'x-amz-target').split('.').at(-1) ?? '';
  const body = (): Json => JSON.parse(request.body === '' ? '{}' : request.body) as Json;
  switch (service) {
    case 'dynamodb':
      return ofDynamoDb(action, body(), place);
    case 'sqs':
      return ofSqs(action, body(), place);
    case 'ssm':
      return ofSsm(action, body(), place);
    case 'sts':
      return ofSts(request);
    default:
      throw new Error(`${service} of ${request.host} is not known to the emulated account: teach it to asked.ts`);
  }
};
