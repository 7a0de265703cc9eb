import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NetworkPolicy } from 'kubernetes-types/networking/v1.d.ts';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { buildLabel } from '../../../lib/api/labels.ts';
import { type Address, bitsOf, parseAddress } from '../../../lib/egress/address.ts';
import { holds, parseCidr } from '../../../lib/egress/cidr.ts';
import { judgeBy } from '../../../lib/egress/policy.ts';
import { addressRanges } from '../../../lib/egress/ranges.ts';

const file = join(import.meta.dirname, '../../../infra/cluster/egress-networkpolicy.yaml');
const policy = parse(readFileSync(file, 'utf8')) as NetworkPolicy;
const blocks = (policy.spec?.egress ?? []).flatMap(({ to = [] }) => to.flatMap(({ ipBlock }) => ipBlock ?? []));

const isReached = (address: Address): boolean =>
  blocks.some(
    ({ cidr, except = [] }) =>
      holds(parseCidr(cidr), address) && !except.some((range) => holds(parseCidr(range), address)),
  );
const judge = judgeBy({ allow: [], deny: [], privateRanges: false });

/** First and last address of each range, and those just outside. */
const edges: readonly Address[] = addressRanges.flatMap(([range]) => {
  const { family, value, prefix } = parseCidr(range);
  const size = 1n << BigInt(bitsOf(family) - prefix);
  const top = 1n << BigInt(bitsOf(family));
  const near = [value - 1n, value, value + size - 1n, value + size].filter((one) => one >= 0n && one < top);
  return near.flatMap((one): readonly Address[] => [
    { family, value: one },
    ...(family === 4 ? [{ family: 6 as const, value: (0x64ff9bn << 96n) | one }] : []),
  ]);
});

describe('the example of a NetworkPolicy', () => {
  it('is for build pods and says everything about where they go', () => {
    expect(policy.spec?.podSelector.matchExpressions).toEqual([{ key: buildLabel, operator: 'Exists' }]);
    expect(policy.spec?.policyTypes).toEqual(['Egress']);
    const [dns, ...others] = policy.spec?.egress ?? [];
    expect(dns?.ports?.map(({ port }) => port)).toEqual([53, 53]);
    expect(others).toHaveLength(1);
  });

  it('lets pods reach exactly what functions dial by default, to both sides of each edge', () => {
    expect(edges.length).toBeGreaterThan(200);
    expect(edges.filter((address) => isReached(address) !== (judge(address) === undefined))).toEqual([]);
  });

  it('excepts only parts of what it lets in, as the API server demands', () => {
    for (const { cidr, except = [] } of blocks)
      for (const range of except) {
        expect(holds(parseCidr(cidr), parseCidr(range))).toBe(true);
        expect(parseCidr(range).prefix).toBeGreaterThan(parseCidr(cidr).prefix);
      }
    expect(isReached(parseAddress('1.1.1.1') ?? { family: 4, value: 0n })).toBe(true);
  });
});
