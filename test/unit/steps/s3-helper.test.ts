import { describe, expect, it } from 'vitest';
import { s3Headers, s3Helper, s3RegionOf } from '../../../lib/steps/prepare/s3-helper.ts';

describe('a blob in S3', () => {
  it.each([
    ['bucket.s3.eu-west-1.amazonaws.com', 'eu-west-1'],
    ['my.dotted.bucket.s3.us-gov-west-1.amazonaws.com', 'us-gov-west-1'],
    ['s3.dualstack.ap-southeast-2.amazonaws.com', 'ap-southeast-2'],
    ['s3-us-west-2.amazonaws.com', 'us-west-2'],
    ['bucket.s3.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
    ['bucket.s3.amazonaws.com', 'us-east-1'],
    ['s3.eu-west-1.amazonaws.com.example.com', undefined],
    ['evil-s3.eu-west-1.amazonaws.com.evil', undefined],
    ['example.com', undefined],
  ])('on host %s is in region %s', (host, region) => {
    expect(s3RegionOf(host)).toBe(region);
  });

  it('is asked for with a signature of the pod’s identity, its session included', async () => {
    const url = new URL('https://bucket.s3.eu-west-1.amazonaws.com/a%20b.zip?versionId=1');
    const credentials = { accessKeyId: 'AKID', secretAccessKey: 'secret', sessionToken: 'session' };
    const headers = await s3Headers(url, 'eu-west-1', credentials, new Date('2026-01-01T00:00:00Z'));
    expect(headers).toMatchObject({ 'x-amz-date': '20260101T000000Z', 'x-amz-security-token': 'session' });
    expect(headers['authorization']).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKID\/20260101\/eu-west-1\/s3\/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature=[0-9a-f]{64}$/,
    );
    expect(headers['host']).toBeUndefined();
  });

  it('never signs for another host, nor over plain http', async () => {
    const signal = new AbortController().signal;
    expect(await s3Helper(new URL('https://example.com/a'), signal)).toBeUndefined();
    expect(await s3Helper(new URL('http://b.s3.eu-west-1.amazonaws.com/a'), signal)).toBeUndefined();
  });
});
