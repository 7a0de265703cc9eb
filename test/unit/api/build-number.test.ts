import { describe, expect, it } from 'vitest';
import { buildNumberOf } from '../../../lib/api/build-number.ts';
import { PermanentError } from '../../../lib/errors/expected.ts';

describe('the number of a Build', () => {
  it('is its label', () => {
    expect(buildNumberOf({ name: 'x-build-26', labels: { 'image.kpack.io/buildNumber': '26' } })).toBe(26);
  });

  it.each([undefined, '', 'x', '-1', '1.5', '9'.repeat(16)])(
    '02#92 label %j is refused with the name of the Build',
    (label) => {
      const labels = label === undefined ? {} : { 'image.kpack.io/buildNumber': label };
      expect(() => buildNumberOf({ name: 'x-build-1', labels })).toThrow(PermanentError);
      expect(() => buildNumberOf({ name: 'x-build-1', labels })).toThrow(
        /error parsing the image build number: .*Build x-build-1/,
      );
    },
  );
});
