/** Sparse files in tar archives: four ways of saying where their holes are, and one file that comes of it. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gnuMagic, octal, paxHeader, rawTar } from '../../support/tar.ts';
import { archiveBench, type Bench, shownContent } from '../../support/unpacked.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await archiveBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

const a = { name: 'a', body: 'content of a' };
const b = { name: 'b', body: 'content of b' };

describe('a sparse file in a tar archive', () => {
  const size = 1_048_580;
  const parts: readonly (readonly [number, string])[] = [
    [4096, 'first'.repeat(100)],
    [1_048_576, 'last'],
  ];
  const stored = parts.map(([, text]) => text).join('');
  const whole = Buffer.alloc(size);
  for (const [at, text] of parts) whole.write(text, at);
  const expected = { 's.bin': shownContent(whole), b: b.body };
  const map = parts.flatMap(([at, { length }]) => [at, length]);
  const old = (numbers: readonly number[]): string => numbers.map((number) => octal(number, 12)).join('');
  const v1 = (numbers: readonly number[]): string => {
    const text = [numbers.length / 2, ...numbers].map((number) => `${number}\n`).join('');
    return text.padEnd(Math.ceil(text.length / 512) * 512, '\0');
  };
  const pax10 = paxHeader([
    ['GNU.sparse.major', '1'],
    ['GNU.sparse.minor', '0'],
    ['GNU.sparse.name', 's.bin'],
    ['GNU.sparse.realsize', String(size)],
  ]);
  const forms = {
    'of type S': [
      { name: 's.bin', type: 'S', magic: gnuMagic, body: stored, fields: { 386: old(map), 483: octal(size, 12) } },
    ],
    'of type S with more headers': [
      {
        name: 's.bin',
        type: 'S',
        magic: gnuMagic,
        body: stored,
        fields: { 386: old([0, 0, 1, 0, 2, 0, 3, 0]), 482: '\x01', 483: octal(size, 12) },
        behindHeader: Buffer.concat([
          Buffer.from(
            `${old(Array.from({ length: 21 }, (_, n) => [n + 4, 0]).flat())}\x01`.padEnd(512, '\0'),
            'latin1',
          ),
          Buffer.from(old(map).padEnd(512, '\0'), 'latin1'),
        ]),
      },
    ],
    'of version 0.0': [
      paxHeader([
        ['GNU.sparse.size', String(size)],
        ['GNU.sparse.numblocks', '2'],
        ...parts.flatMap(([at, { length }]) => [
          ['GNU.sparse.offset', String(at)] as const,
          ['GNU.sparse.numbytes', String(length)] as const,
        ]),
      ]),
      { name: 's.bin', body: stored },
    ],
    'of version 0.1': [
      paxHeader([
        ['GNU.sparse.size', String(size)],
        ['GNU.sparse.numblocks', '2'],
        ['GNU.sparse.name', 's.bin'],
        ['GNU.sparse.map', map.join(',')],
      ]),
      { name: 'GNUSparseFile.0/s.bin', body: stored },
    ],
    'of version 1.0': [pax10, { name: 'GNUSparseFile.0/s.bin', body: v1(map) + stored }],
  };

  it.each(Object.entries(forms))(
    '%s is whole when it is unpacked, and takes no room for its holes',
    async (_form, members) => {
      expect(await bench.unpack(rawTar([...members, b]))).toEqual(expected);
      expect(statSync(join(bench.into, 's.bin')).blocks * 512).toBeLessThan(size / 2);
    },
  );

  it.each(Object.entries(forms))('%s counts as what it becomes', async (_form, members) => {
    const limits = { maxEntries: 10, maxBytes: size - 1, maxRatio: 1000 };
    expect(await bench.refusal(rawTar([...members, b]), { limits })).toContain(
      'unpacks to more than 1048579 bytes; it is refused',
    );
  });

  it('may be one hole from end to end', async () => {
    const none = paxHeader([
      ['GNU.sparse.size', '5000'],
      ['GNU.sparse.name', 's.bin'],
      ['GNU.sparse.map', '5000,0'],
    ]);
    expect(await bench.unpack(rawTar([none, { name: 'GNUSparseFile.0/s.bin' }]))).toEqual({
      's.bin': shownContent(Buffer.alloc(5000)),
    });
  });

  it.each([
    ['overlaps itself', [0, 10, 5, 494]],
    ['goes backwards', [4096, 250, 0, 254]],
    ['leaves the file', [4096, 500, size, 4]],
    ['says more than there is', [4096, 504, 1_048_576, 4]],
    ['says less than there is', [4096, 500]],
    ['ends in the middle', [4096, 500, 1_048_576]],
  ])('whose map %s is refused in every form', async (_what, numbers) => {
    const text = numbers.join(',');
    const gnu = {
      name: 's.bin',
      type: 'S',
      magic: gnuMagic,
      body: stored,
      fields: { 386: old(numbers), 483: octal(size, 12) },
    };
    const v01 = [
      paxHeader([
        ['GNU.sparse.size', String(size)],
        ['GNU.sparse.map', text],
      ]),
      { name: 's.bin', body: stored },
    ];
    const v10 = [pax10, { name: 's.bin', body: v1(numbers) + stored }];
    for (const members of [[gnu], v01, v10])
      expect(await bench.refusal(rawTar(members))).toMatch(
        /"s\.bin" is sparse and its map does not fit|no entry begins/,
      );
  });

  it('whose map is nonsense, or longer than what there is, is refused', async () => {
    for (const body of ['x\n', '9999999\n0\n', '1\n0', '-1\n', '2\n0\n'])
      expect(await bench.refusal(rawTar([pax10, { name: 's.bin', body: body.padEnd(512, '\0') }]))).toContain(
        '"s.bin" is sparse and its map does not fit what the archive has for it',
      );
  });

  it.each([
    [
      "of version 2.0 of GNU's form",
      [
        paxHeader([
          ['GNU.sparse.major', '2'],
          ['GNU.sparse.minor', '0'],
          ['GNU.sparse.size', '1'],
        ]),
        a,
      ],
    ],
    ["in Solaris' form (SUN.holesdata)", [paxHeader([['SUN.holesdata', ' 0 100 ']]), a]],
    ["in star's form", [{ ...a, type: 'S' }]],
  ])('%s is refused by name', async (form, members) => {
    expect(await bench.refusal(rawTar(members))).toBe(
      `PermanentError: archive entry "a" is sparse ${form}, which is not read; pack it anew without sparse files`,
    );
  });

  it('that does not say where its holes are is refused', async () => {
    expect(await bench.refusal(rawTar([paxHeader([['GNU.sparse.size', '100']]), a]))).toContain(
      'does not say where its holes are',
    );
  });

  it('that does not say how long it is is refused', async () => {
    expect(await bench.refusal(rawTar([paxHeader([['GNU.sparse.major', '1']]), a]))).toContain(
      'does not say how long it is',
    );
  });

  it('is left out as the target of a hard link is, and the next entry is found', async () => {
    const [member] = forms['of type S'];
    expect(
      await bench.unpack(rawTar([...(member ? [member] : []), { name: 'l', type: '1', linkName: 's.bin', size }, b])),
    ).toEqual(expected);
  });
});
