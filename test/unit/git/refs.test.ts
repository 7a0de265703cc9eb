import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linePacket, type Packet, readPackets, writePacket } from '../../../lib/git/pkt-line.ts';
import {
  type GitRef,
  isObjectId,
  lsRefsRequest,
  RemoteComplaint,
  readAdvertisement,
  readLsRefs,
  withPrefixes,
} from '../../../lib/git/refs.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);
const flush: Packet = { kind: 'flush' };

async function* streamOf(packets: readonly (string | Packet)[]): AsyncGenerator<Packet, void, undefined> {
  for (const packet of packets) yield await Promise.resolve(typeof packet === 'string' ? linePacket(packet) : packet);
}

const advertised = (...packets: readonly (string | Packet)[]) => readAdvertisement(streamOf(packets));
const listed = (...packets: readonly (string | Packet)[]) => readLsRefs(streamOf(packets));

describe('what a host says first', () => {
  it('is its capabilities in version 2', async () => {
    const capabilities = new Map([
      ['agent', 'git/2.39'],
      ['ls-refs', 'unborn'],
      ['server-option', ''],
      ['object-format', 'sha256'],
    ]);
    const texts = ['version 2', 'agent=git/2.39', 'ls-refs=unborn', 'server-option', 'object-format=sha256'];
    expect(await advertised(...texts, flush)).toEqual({ version: 2, capabilities });
    expect(await advertised('# service=git-upload-pack', flush, ...texts, flush)).toEqual({ version: 2, capabilities });
  });

  it.each([
    ['version 0', []],
    ['version 1', ['version 1']],
  ])('is all refs in %s, tags peeled', async (_, head) => {
    const texts = [
      `${A} HEAD\0multi_ack symref=HEAD:refs/heads/main agent=git/1`,
      `${A} refs/heads/main`,
      `${B} refs/tags/v1`,
      `${A} refs/tags/v1^{}`,
      `shallow ${A}`,
    ];
    expect(await advertised(...head, ...texts, flush)).toEqual({
      version: 1,
      refs: [
        { name: 'HEAD', hash: A, symrefTarget: 'refs/heads/main' },
        { name: 'refs/heads/main', hash: A },
        { name: 'refs/tags/v1', hash: B, peeled: A },
      ],
    });
  });

  it('is nothing in an empty repository', async () => {
    const none = { version: 1, refs: [] };
    expect(await advertised(`${'0'.repeat(40)} capabilities^{}\0agent=git/1`, flush)).toEqual(none);
    expect(await advertised(flush)).toEqual(none);
    expect(await advertised('version 1', flush)).toEqual(none);
  });

  it('may be a complaint', async () => {
    await expect(advertised('ERR access denied')).rejects.toEqual(new RemoteComplaint('access denied'));
  });
});

describe('ls-refs', () => {
  it('asks for prefixes, peeled tags and symbolic refs, in the hash of the repository', () => {
    const capabilities = new Map([
      ['ls-refs', ''],
      ['object-format', 'sha256'],
    ]);
    expect(lsRefsRequest(['refs/heads/main', 'HEAD'], capabilities).toString()).toBe(
      '0014command=ls-refs\n0019object-format=sha256\n00010009peel\n000csymrefs\n001fref-prefix refs/heads/main\n0014ref-prefix HEAD\n0000',
    );
  });

  it('reads refs, and leaves an unborn HEAD out', async () => {
    const refs = await listed(
      'unborn HEAD symref-target:refs/heads/main',
      `${A} HEAD symref-target:refs/heads/main`,
      `${B} refs/tags/v1 peeled:${A}`,
      flush,
    );
    expect(refs).toEqual([
      { name: 'HEAD', hash: A, symrefTarget: 'refs/heads/main' },
      { name: 'refs/tags/v1', hash: B, peeled: A },
    ]);
  });

  it.each([
    ['ends before its flush', [`${A} refs/heads/main`]],
    ['holds a line that is no ref', ['nonsense', flush]],
    ['peels a tag to an option', [`${A} refs/tags/v1 peeled:--upload-pack=id`, flush]],
    ['holds an id in upper case', [`${'A'.repeat(40)} refs/heads/main`, flush]],
  ])('refuses an answer that %s', async (_, packets) => {
    await expect(listed(...packets)).rejects.toThrow(/the answer/);
  });

  it('gives back any refs a host may have', async () => {
    const hash = fc.string({ unit: fc.constantFrom('0', '7', 'a', 'f'), minLength: 40, maxLength: 40 });
    const name = fc.string({ unit: fc.constantFrom('a', 'ü', '/', '-', '.', '#'), minLength: 1, maxLength: 20 });
    const ref = fc.record(
      { name: name.map((text) => `refs/${text}`), hash, peeled: hash },
      { requiredKeys: ['name', 'hash'] },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(ref, { maxLength: 20 }), async (refs: readonly GitRef[]) => {
        const lines = refs.map((r) => `${r.hash} ${r.name}${r.peeled === undefined ? '' : ` peeled:${r.peeled}`}`);
        const bytes = Buffer.concat([...lines.map(linePacket), flush].map(writePacket));
        const chunks = async function* (): AsyncGenerator<Uint8Array> {
          yield await Promise.resolve(bytes);
        };
        expect(await readLsRefs(readPackets(chunks(), { maxBytes: 1_000_000 }))).toEqual(refs);
      }),
    );
  });
});

describe('an object id', () => {
  it.each([
    [A, true],
    ['c'.repeat(64), true],
    ['A'.repeat(40), false],
    ['a'.repeat(39), false],
    ['', false],
  ])('%s: %s', (text, expected) => {
    expect(isObjectId(text)).toBe(expected);
  });
});

describe('the refs that were asked for', () => {
  const named = (names: readonly string[]): readonly GitRef[] => names.map((name) => ({ name, hash: A }));

  it('are those that begin with one of the prefixes, whatever the host sends', () => {
    const word = fc.stringMatching(/^[ab/]{0,4}$/);
    fc.assert(
      fc.property(fc.array(word), fc.array(word, { minLength: 1 }), (names, prefixes) => {
        const wanted = names.filter((name) => prefixes.some((prefix) => name.startsWith(prefix)));
        expect(withPrefixes(named(names), prefixes).map(({ name }) => name)).toEqual(wanted);
      }),
    );
    expect(withPrefixes(named(['x']), [])).toHaveLength(1);
  });

  it('are found among very many without comparing each with each', () => {
    const refs = named(Array.from({ length: 300_000 }, (_, n) => `refs/pull/${n}/head`));
    const prefixes = Array.from({ length: 5000 }, (_, n) => `refs/heads/${n}`);
    const started = performance.now();
    expect(withPrefixes(refs, [...prefixes, 'refs/pull/299999/'])).toHaveLength(1);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
