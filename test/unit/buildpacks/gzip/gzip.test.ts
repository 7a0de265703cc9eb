import { gunzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { directoriesTar } from '../../../../lib/buildpacks/builder-layers.ts';
import { gzip } from '../../../../lib/buildpacks/gzip/gzip.ts';
import { digestOf } from '../../../../lib/oci/digest.ts';

/** Partly repeating bytes; a Go program with the same arithmetic made the digests below. */
const generated = (size: number, alphabet: number, seed: number): Uint8Array => {
  const bytes = new Uint8Array(size);
  let x = seed;
  for (let i = 0; i < size; i += 1) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    const repeat = i > 300 && (x >>> 8) % 5 !== 0;
    bytes[i] = repeat ? (bytes[i - ((x >>> 20) % 300) - 1] ?? 0) : (x >>> 16) % alphabet;
  }
  return bytes;
};

describe('gzip of builder layers', () => {
  it.each([
    [0, 1, 1, 23, '81da0491c5af5635831f6a3febb5d9bfd66987ba3ecc42e58dc3d80938c25705'],
    [16, 256, 1, 44, '79b5ff89e148da46702b4dbacea6ae20291c22d9c692b04639f709e3ef47fac9'],
    [17, 256, 2, 45, '78e4c75089a97eec42855dc2f5ba758829f2ebb9d00d49629751ee4575ff5f94'],
    [127, 40, 3, 129, '03fe063fab39bc166d0e50ace9260087433f0ff79e3fc318c98d9d0ff0ac27ea'],
    [128, 2, 4, 70, 'a625145976f50a39e7a4ee80305034a9b87ed3aa450505fcee21615f05cf68e5'],
    [3000, 20, 5, 1633, '52d4bacefe5d6a20d36336a84021b87c2acd2c8e3988cd88844e7f17614c190f'],
    [3000, 1, 6, 42, 'bb353ac52daf44f8a92b1427f4361f8fa78fcddfa37f1132c5f59aa66e0b333f'],
    [65535, 90, 7, 53414, 'f36a0822ef8d337fb795978fe8f1936988a4b968dd10c97947787e279baf850f'],
    [200000, 64, 8, 150273, 'a8c5a46c11dfc8648d81660e81639f97a265256adba6478b15ae2858bcce35ef'],
    [200000, 256, 9, 199811, '682882f4d7b38ff52eb99be446d218ae9e91f09aca7031684c6b4e07296d109b'],
    [131080, 3, 10, 38189, 'b7f5ea1638566b9bfd6ce2dc22c7295dc3605442faebd5349e51f54ceaf937a4'],
  ])('makes the bytes Go makes of %i bytes (alphabet %i, seed %i)', (size, alphabet, seed, length, digest) => {
    const zipped = gzip(generated(size, alphabet, seed));
    expect([zipped.length, digestOf(zipped)]).toEqual([length, `sha256:${digest}`]);
  });

  it('makes the directory layer kpack pushes, 214 bytes (spec 04 §12 G)', () => {
    const zipped = gzip(directoriesTar({ userId: 1000, groupId: 1000 }));
    expect([zipped.length, digestOf(zipped)]).toEqual([
      214,
      'sha256:ea92060a149b3b2e820d5b59ad10ffcf7c53278b23fa8e6d5539d41748580093',
    ]);
  });

  it('can be unpacked whatever it packed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4000, max: 7 }), (content) => {
        expect(new Uint8Array(gunzipSync(gzip(content)))).toEqual(content);
      }),
      { numRuns: 60 },
    );
  });
});
