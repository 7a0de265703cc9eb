/** A list is read object by object, however its bytes are cut. */
import { array, assert, constantFrom, dictionary, integer, jsonValue, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ListFrame, ListReader } from '../../../lib/kube/list-reader.ts';

/** What is read of a text whose bytes come in pieces of that size. */
const read = (text: string, size = 1): { readonly items: readonly unknown[]; readonly frame: ListFrame } => {
  const items: unknown[] = [];
  const reader = new ListReader((item) => void items.push(item));
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
  return { items, frame: reader.end() };
};

const item = dictionary(string({ unit: 'grapheme' }), jsonValue());

describe('the answer to a list', () => {
  it('is what JSON.parse makes of it, wherever it is cut', () => {
    assert(
      property(
        array(item, { maxLength: 5 }),
        constantFrom(undefined, 1),
        integer({ min: 1, max: 40 }),
        (items, indent, size) => {
          const list = { kind: 'List', metadata: { resourceVersion: '7', continue: 'x"]}' }, items };
          const { items: found, frame } = read(JSON.stringify(list, undefined, indent), size);
          expect(found).toStrictEqual(JSON.parse(JSON.stringify(items)));
          expect(frame).toStrictEqual({ metadata: list.metadata, items: [] });
        },
      ),
    );
  });

  it('is read without the long texts of its objects, wherever it is cut', () => {
    const long = integer({ min: 1000, max: 1100 }).map((length) => '\\"é\n😀'.repeat(length / 5));
    assert(
      property(array(dictionary(string({ maxLength: 9 }), long)), integer({ min: 1, max: 3000 }), (items, size) => {
        const found: unknown[] = [];
        const reader = new ListReader((item) => void found.push(item));
        const bytes = Buffer.from(JSON.stringify({ metadata: { note: 'x'.repeat(5000) }, items }));
        for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
        const cut = (_: string, value: unknown): unknown =>
          typeof value === 'string' && Buffer.byteLength(JSON.stringify(value)) - 2 > 1024 ? '' : value;
        expect(found).toStrictEqual(JSON.parse(JSON.stringify(items, cut)));
        expect(reader.end().metadata).toStrictEqual({ note: 'x'.repeat(5000) });
      }),
      { numRuns: 200 },
    );
  });

  it('may have its objects before its metadata, other lists beside them, and spaces', () => {
    const text = '{ "more": [1, [2]], "items" : [ {"a":[{"items":[1]}]} , {} ], "metadata": {"resourceVersion":"3"} }';
    expect(read(text)).toStrictEqual({
      items: [{ a: [{ items: [1] }] }, {}],
      frame: { metadata: { resourceVersion: '3' }, items: [] },
    });
  });

  it('may have null for its objects', () => {
    expect(read('{"metadata":{"resourceVersion":"3"},"items":null}').items).toStrictEqual([]);
  });

  it.each([
    ['null'],
    ['[]'],
    ['{}'],
    ['{"items":[]}'],
    ['{"metadata":{}}'],
    ['{"kind":"Status","metadata":{"resourceVersion":"3"},"status":"Success"}'],
    ['{"metadata":{},"items":{}}'],
    ['<html>'],
    [''],
    ['{"metadata":{'],
    ['{"metadata":[]}'],
  ])('is refused when it is none: %s', (text) => {
    expect(() => read(text)).toThrow(SyntaxError);
  });

  it('is not collected for ever', () => {
    const reader = new ListReader(() => undefined);
    reader.push(Buffer.from('{"metadata":{"note":"'));
    const megabyte = Buffer.alloc(1024 * 1024, 'x');
    expect(() => {
      for (let megabytes = 0; megabytes < 3; megabytes += 1) reader.push(megabyte);
    }).toThrow('longer than');
  });
});
