import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kubeClient } from '../../../lib/kube/client.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { isDeeperThan, parseJson, parseJsonCutBelow } from '../../../lib/text/bounded-json.ts';

const bounds = { mostCharacters: 1000, deepest: 5, mostValues: 20 };
const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

describe('JSON within bounds', () => {
  it('is what the platform reads', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(parseJson(text, { mostCharacters: text.length })).toEqual(JSON.parse(text));
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it.each([
    [`"${'a'.repeat(1000)}"`, 'more than 1000 characters'],
    [nested(6), 'nested more than 5 deep'],
    ['['.repeat(6), 'nested more than 5 deep'],
    [`[${'1,'.repeat(19)}1]`, 'more than 20 values'],
    [`[${'{},'.repeat(10)}{}]`, 'more than 20 values'],
    ['', 'unexpected text or end'],
    ['"a', 'unexpected text'],
  ])('is not %s', (text, why) => {
    expect(() => parseJson(text, bounds)).toThrow(SyntaxError);
    expect(() => parseJson(text, bounds)).toThrow(why);
  });

  it.each([nested(5), `[${'1,'.repeat(17)}1]`, '"[[[[[[[[,,,,,,,,,,,,,,,,,,,,,,,,"', String.raw`["\"[[[[[[[[", "\\"]`])(
    'is %s',
    (text) => expect(parseJson(text, bounds)).toEqual(JSON.parse(text)),
  );

  it('that is wrong is told without a word of it', () => {
    const failure = (() => {
      try {
        return parseJson('{"auth": secretword}', bounds);
      } catch (error) {
        return error;
      }
    })();
    expect(String(failure)).toBe('SyntaxError: unexpected text or end');
    expect(failure).not.toHaveProperty('cause');
  });
});

describe('JSON of the API server', () => {
  it('is as it is, but for what is nested deeper than anything means', () => {
    expect(parseJsonCutBelow(nested(5), 5)).toEqual(JSON.parse(nested(5)));
    expect(parseJsonCutBelow('{"a":{"b":{"c":1}},"d":[[[2]],3]}', 2)).toEqual({ a: { b: undefined }, d: [null, 3] });
    expect([isDeeperThan('[[[]]]', 3), isDeeperThan('[[[]]]', 2), isDeeperThan('"[[["', 0)]).toEqual([
      false,
      true,
      false,
    ]);
  });

  it('may nest fields that are kept as they are ten thousand deep: the object is read and can be printed', async () => {
    const body = `{"kind":"Image","metadata":{"name":"app"},"spec":{"build":{"affinity":${nested(9900)}}}}`;
    const kube = kubeClient({
      server: 'fake:443',
      send: () => Promise.resolve({ status: 200, body }),
      stream: () => Promise.reject(new Error('no watch')),
      close: () => undefined,
    });
    const image = await kube.get<KubeObject>({ kind: 'Image', namespace: 'team', name: 'app' });
    expect(JSON.stringify(image)).toContain('"affinity":{"a":{"a":');
  });
});
