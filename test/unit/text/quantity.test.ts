/** Amounts as Kubernetes prints and compares them. The table was printed by k8s.io/apimachinery 0.34.4 (unmarshal, then marshal). */
import { assert, constantFrom, integer, nat, property, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalQuantity, quantityValue, sameQuantity } from '../../../lib/text/quantity.ts';

const printed: readonly (readonly [given: string, canonical: string])[] = [
  ['0', '0'],
  ['0Mi', '0'],
  ['0.00', '0'],
  ['-0', '0'],
  ['1', '1'],
  ['.5', '500m'],
  ['0.5', '500m'],
  ['0.25', '250m'],
  ['1.0', '1'],
  ['1.50', '1500m'],
  ['0.250', '250m'],
  ['1000', '1k'],
  ['1500', '1500'],
  ['10000', '10k'],
  ['12000m', '12'],
  ['1000m', '1'],
  ['1500m', '1500m'],
  ['0.1m', '100u'],
  ['0.0001m', '100n'],
  ['0.0000000001', '1n'],
  ['-0.0000000001', '-1n'],
  ['1000000n', '1m'],
  ['2000M', '2G'],
  ['2.5G', '2500M'],
  ['999E', '999E'],
  ['18446744073709551616', '18446744073709551616'],
  ['1024', '1024'],
  ['1024Ki', '1Mi'],
  ['1023Ki', '1023Ki'],
  ['2048Mi', '2Gi'],
  ['1.5Gi', '1536Mi'],
  ['0.5Gi', '512Mi'],
  ['0.5Ki', '512'],
  ['1.1Ki', '1126400m'],
  ['0.1Gi', '107374182400m'],
  ['1.953125Ki', '2000'],
  ['1000Ki', '1000Ki'],
  ['8Ei', '9223372036854775807'],
  ['-16Ei', '-9223372036854775807'],
  ['1e3', '1e3'],
  ['1e4', '10e3'],
  ['1000e0', '1e3'],
  ['0.5e3', '500'],
  ['12e-1', '1200e-3'],
  ['1e-10', '1e-9'],
  ['10e20', '1e21'],
  // What its quick look takes for canonical is printed as written.
  ['+5', '+5'],
  ['5.', '5.'],
  ['1.500', '1.500'],
  ['1500e0', '1500e0'],
  ['1E3', '1E3'],
  ['001', '001'],
];

const suffix = constantFrom('', 'n', 'u', 'm', 'k', 'M', 'G', 'T', 'Ki', 'Mi', 'Gi', 'Ti', 'e3', 'E-3', 'e6', 'e1');
const quantity = tuple(
  constantFrom('', '-'),
  nat(5_000_000),
  constantFrom('', '.5', '.25', '.000', '.1', '.001'),
  suffix,
).map((parts) => parts.join(''));

describe('quantities', () => {
  it.each(printed)('%s is printed as %s', (given, canonical) => {
    expect(canonicalQuantity(given)).toBe(canonical);
  });

  it.each(['1e', '1i', '1KI', '1_0', '1,5', 'abc', '', '.', '-', '1 Gi'])(
    '%j is no quantity and stays as it is',
    (text) => {
      expect(canonicalQuantity(text)).toBe(text);
      expect(sameQuantity(text, text)).toBe(true);
      expect(sameQuantity(text, '1')).toBe(false);
    },
  );

  it('numbers are taken as well', () => {
    expect([canonicalQuantity(2), canonicalQuantity(0.5), canonicalQuantity(1000)]).toStrictEqual(['2', '500m', '1k']);
    expect(sameQuantity(1, '1000m')).toBe(true);
  });

  it('the printed form is the same amount, and prints as itself', () => {
    assert(
      property(quantity, (given) => {
        const canonical = canonicalQuantity(given);
        expect(quantityValue(canonical)).toBe(quantityValue(given));
        expect(canonicalQuantity(canonical)).toBe(canonical);
      }),
    );
  });

  it('one more is never the same', () => {
    assert(
      property(nat(1_000_000), suffix, (amount, unit) => {
        expect(sameQuantity(`${amount}${unit}`, `${amount + 1}${unit}`)).toBe(false);
      }),
    );
  });

  it('a thousand of a thousandth, and 1024 of a 1024th, are the same', () => {
    const thousands = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];
    const binaries = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'];
    assert(
      property(integer({ min: 1, max: 1000 }), nat(8), nat(4), (amount, up, doubled) => {
        expect(sameQuantity(`${amount * 1000}${thousands[up]}`, `${amount}${thousands[up + 1]}`)).toBe(true);
        expect(sameQuantity(`${amount * 1024}${binaries[doubled]}`, `${amount}${binaries[doubled + 1]}`)).toBe(true);
      }),
    );
  });
});
