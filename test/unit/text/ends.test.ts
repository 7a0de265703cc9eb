import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { nextIn } from '../../../lib/oci/link.ts';
import { readPem } from '../../../lib/text/pem.ts';
import { withoutEnd, withoutEnds } from '../../../lib/text/trim-end.ts';
import { textOfElement } from '../../../lib/text/xml-element.ts';

describe('ends of a text', () => {
  it('are cut off', () => {
    expect([withoutEnd('a//', '/'), withoutEnd('//', '/'), withoutEnd('', '/'), withoutEnd('/a', '/')]).toEqual([
      'a',
      '',
      '',
      '/a',
    ]);
    expect([withoutEnds('//a//b//', '/'), withoutEnds('///', '/')]).toEqual(['a//b', '']);
  });
});

describe('an element of XML', () => {
  it.each([
    ['<A><Code>Denied</Code></A>', 'Denied'],
    ['<Code></Code>', undefined],
    ['<Code>a<B>b</B></Code>', undefined],
    ['<Code>a', undefined],
    ['', undefined],
  ])('in %s is %s', (xml, text) => expect(textOfElement(xml, 'Code')).toBe(text));
});

describe('a PEM block', () => {
  const key = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();

  it('is read wherever it stands', () => {
    expect(readPem(`# a key\n${key.replaceAll('\n', '\r\n')}\nmore`, 1000)).toMatchObject({
      label: 'PRIVATE KEY',
      hasHeaders: false,
    });
    expect(readPem(key, 1000)?.bytes).toHaveLength(48);
    expect(readPem('-----BEGIN A KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END A KEY-----', 1000)).toMatchObject({
      hasHeaders: true,
    });
  });

  it.each([
    ['', 10],
    [key, 10],
    ['-----BEGIN A-----\nAAAA\n-----END B-----', 100],
    ['-----BEGIN A-----\nAA!A\n-----END A-----', 100],
    ['-----BEGIN A\n-----\nAAAA\n-----END A\n-----', 100],
    ['-----BEGIN ', 100],
  ])('is none: %j', (text, most) => expect(readPem(text, most)).toBeUndefined());
});

describe('the next page', () => {
  it.each([
    ['</v2/a/tags/list?last=b>; rel="next"', '/v2/a/tags/list?last=b'],
    ['<a>; rel="prev", <b>; title="x, y"; rel="first next"', 'b'],
    ['<a>;rel=next', 'a'],
    ['<a>; REL=NEXT', 'a'],
    ['<a>; rel="prev"', undefined],
    ['<a', undefined],
    [null, undefined],
  ])('of %s is %s', (header, target) => expect(nextIn(header)).toBe(target));
});
