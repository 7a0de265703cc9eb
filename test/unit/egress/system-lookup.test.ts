import { describe, expect, it } from 'vitest';
import { systemLookup } from '../../../lib/egress/system-lookup.ts';

const look = (host: string) =>
  new Promise<readonly string[]>((resolve, reject) => {
    systemLookup(host, {}, (error, found) => {
      if (error === null) resolve(Array.isArray(found) ? found.map(({ address }) => address) : [found]);
      else reject(error);
    });
  });

describe('names of tenants', () => {
  it('are resolved as the system does, however many come at once', async () => {
    const found = await Promise.all(Array.from({ length: 50 }, () => look('localhost')));
    expect(found.every((addresses) => addresses.includes('127.0.0.1') || addresses.includes('::1'))).toBe(true);
  });

  it('that there are not hold nobody up', async () => {
    const absent = Array.from({ length: 5 }, () => look('nobody.invalid').catch((error: unknown) => error));
    expect(await look('localhost')).not.toEqual([]);
    for (const error of await Promise.all(absent)) expect(error).toBeInstanceOf(Error);
  });
});
