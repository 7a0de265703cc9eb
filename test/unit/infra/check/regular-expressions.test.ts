import { describe, expect, it } from 'vitest';
import { complaintAbout } from '../../../../infra/check/judge.ts';
import { regularExpressionsIn } from '../../../../infra/check/regular-expressions.ts';

const found = (text: string) => {
  const { patterns, madeAtRunTime } = regularExpressionsIn('lib/a.ts', text);
  return {
    patterns: patterns.map(({ source, flags, line }) => `${line}: /${source}/${flags}`),
    madeAtRunTime: madeAtRunTime.map(({ file, line }) => `${file}:${line}`),
  };
};

describe('regular expressions of a source', () => {
  it('are found wherever they are written, and not in comments and texts', () => {
    const text =
      "// /no/\nconst s = '/no/g';\nconst a = { b: /a+/gu };\nnew RegExp('x*', 'i');\nRegExp('y*');\ns.match('z*');";
    expect(found(text)).toEqual({ patterns: ['3: /a+/gu', '4: /x*/i', '5: /y*/', '6: /z*/'], madeAtRunTime: [] });
  });

  it.each(['new RegExp(`<${name}>`)', "RegExp('a' + b)", 'new RegExp(source, flags)', 'text.search(`${a}*`)'])(
    'made at run time are told apart: %s',
    (text) => expect(found(`\n${text};`)).toEqual({ patterns: [], madeAtRunTime: ['lib/a.ts:2'] }),
  );

  it('that are a copy of a written one are judged as it', () => {
    expect(found('new RegExp(/a/, "g")').patterns).toEqual(['1: /a/']);
  });

  it('of what is no TypeScript are an error', () => {
    expect(() => found('const = ;')).toThrow(SyntaxError);
  });
});

describe('the judge', () => {
  it.each([
    ['a+$', 'polynomial'],
    ['^(a+)+$', 'exponential'],
    ['-----BEGIN ([A-Z ]+)-----\\s+([A-Za-z0-9+/=\\s]+?)\\s*-----END \\1-----', 'polynomial'],
  ])('complains about %s, and shows a text that makes it slow', async (source, complexity) => {
    const complaint = await complaintAbout({ source, flags: '' });
    expect(complaint).toContain(complexity);
    expect(complaint).toContain('repeat(');
  });

  it('takes one that reads each character once', async () => {
    expect(await complaintAbout({ source: '^[a-z]+(?:-[a-z]+)*$', flags: 'u' })).toBeUndefined();
  });
});
