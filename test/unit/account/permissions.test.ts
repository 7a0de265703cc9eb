/** The judge of the emulated account decides as IAM would: a suite that nothing can fail would show nothing. */
import { describe, expect, it } from 'vitest';

import { askedFor } from '../../account/asked.ts';
import { decide, grantsOf, type Statement } from '../../account/permissions.ts';

const table = 'arn:aws:dynamodb:eu-west-1:123456789012:table/kpackless-prod';
const allow: Statement = {
  policy: 'table',
  Effect: 'Allow',
  Action: ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
  Resource: table,
};
const deny: Statement = {
  policy: 'table',
  Effect: 'Deny',
  Action: 'dynamodb:UpdateItem',
  Resource: table,
  Condition: { 'ForAnyValue:StringLike': { 'dynamodb:LeadingKeys': ['registration#*', 'relay#*'] } },
};
const asks = (action: string, resource = table, ...keys: string[]) => ({
  action,
  resource,
  context: { 'dynamodb:LeadingKeys': keys },
});

describe('a role', () => {
  it('may do what a statement allows, of that resource alone', () => {
    expect(decide([allow], asks('dynamodb:GetItem'))).toEqual({ allowed: true, by: allow });
    expect(decide([allow], asks('dynamodb:PutItem')).allowed).toBe(false);
    expect(decide([allow], asks('dynamodb:GetItem', `${table}/index/due`)).allowed).toBe(false);
  });

  it('may not do what another statement denies', () => {
    expect(decide([allow, deny], asks('dynamodb:UpdateItem', table, 'record#one')).allowed).toBe(true);
    expect(decide([allow, deny], asks('dynamodb:UpdateItem', table, 'registration#one'))).toEqual({
      allowed: false,
      by: deny,
    });
  });

  it('may use keys that its condition names exactly, and no batch with another', () => {
    const own: Statement = {
      ...allow,
      Condition: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['relay#one'] } },
    };
    expect(decide([own], asks('dynamodb:GetItem', table, 'relay#one')).allowed).toBe(true);
    expect(decide([own], asks('dynamodb:GetItem', table, 'relay#one', 'relay#two')).allowed).toBe(false);
  });

  it.each([
    ['arn:aws:iam::*:role/kpackless-*', 'arn:aws:iam::210987654321:role/kpackless-one', true],
    ['arn:aws:iam::*:role/kpackless-*', 'arn:aws:iam::210987654321:role/other', false],
    ['*', 'anything', true],
    ['arn:aws:sqs:*:*:a*a', 'arn:aws:sqs:eu-west-1:1:a', false],
  ])('is granted %s, asks for %s: %s', (Resource, resource, allowed) => {
    expect(decide([{ ...allow, Action: '*', Resource }], asks('sts:AssumeRole', resource)).allowed).toBe(allowed);
  });

  it('is not granted anything by what nobody understands', () => {
    const strange: Statement = { ...allow, Condition: { NumericLessThan: { 'aws:x': '1' } } };
    expect(() => decide([strange], asks('dynamodb:GetItem'))).toThrow('NumericLessThan is not known');
  });

  it('has each action of its statements to be accounted for', () => {
    expect(grantsOf([allow, deny])).toEqual(['table dynamodb:GetItem', 'table dynamodb:UpdateItem']);
  });
});

describe('a request', () => {
  const place = { account: '123456789012', region: 'eu-west-1' };
  const request = (service: string, target: string, body: object) => ({
    host: 'any',
    method: 'POST',
    path: '/',
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu-west-1/${service}/aws4_request, Signature=0`,
      'x-amz-target': target,
    },
    body: JSON.stringify(body),
  });

  it('to DynamoDB names table, index and partitions', () => {
    const item = { TableName: 't', Key: { pk: { S: 'record#one' }, sk: { S: 'r' } } };
    expect(askedFor(request('dynamodb', 'DynamoDB_20120810.GetItem', item), place)).toEqual([
      {
        action: 'dynamodb:GetItem',
        resource: 'arn:aws:dynamodb:eu-west-1:123456789012:table/t',
        context: { 'dynamodb:LeadingKeys': ['record#one'] },
      },
    ]);
    const query = {
      TableName: 't',
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: 'edge#one' } },
    };
    expect(askedFor(request('dynamodb', 'DynamoDB_20120810.Query', query), place)[0]?.context).toEqual({
      'dynamodb:LeadingKeys': ['edge#one'],
    });
    const due = { TableName: 't', IndexName: 'due', KeyConditionExpression: 'dueShard = :shard' };
    expect(askedFor(request('dynamodb', 'DynamoDB_20120810.Query', due), place)[0]?.resource).toMatch(/t\/index\/due$/);
  });

  it('to SQS is one for the action that a batch is a batch of', () => {
    const batch = { QueueUrl: 'http://127.0.0.1:1/123456789012/kpackless-image.fifo' };
    expect(askedFor(request('sqs', 'AmazonSQS.DeleteMessageBatch', batch), place)).toMatchObject([
      { action: 'sqs:DeleteMessage', resource: 'arn:aws:sqs:eu-west-1:123456789012:kpackless-image.fifo' },
    ]);
  });

  it('to a service that is not known is refused with its name', () => {
    expect(() => askedFor(request('kms', 'TrentService.Decrypt', {}), place)).toThrow('kms of any is not known');
  });
});
