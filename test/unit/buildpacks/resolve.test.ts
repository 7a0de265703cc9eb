import { describe, expect, it } from 'vitest';
import type { BuilderBuildpackRef } from '../../../lib/api/order.ts';
import type { Catalogue } from '../../../lib/buildpacks/offers.ts';
import { resolveRef } from '../../../lib/buildpacks/resolve.ts';
import { nameOf } from '../../../lib/buildpacks/store-reader.ts';
import { aBuildpack, aCatalogue, offers, ordering } from './catalogue.ts';

const resolved = (ref: BuilderBuildpackRef, catalogue: Catalogue): string =>
  nameOf(resolveRef(ref, catalogue).buildpack);

const meta = [aBuildpack('meta@1', ordering('engine@1', 'manager@1')), 'engine@1', 'manager@1'] as const;
const fromStore = aCatalogue({ store: offers('store', 'engine@1.0.0', 'multi@8.0.0', 'multi@9.0.0') });

describe('a reference by id', () => {
  it('04#40 04#42 without version means the highest', () => {
    expect(resolved({ id: 'engine' }, fromStore)).toBe('engine@1.0.0');
    expect(resolved({ id: 'multi' }, fromStore)).toBe('multi@9.0.0');
  });

  it('04#41 with a version means exactly that', () => {
    expect(resolved({ id: 'multi', version: '8.0.0' }, fromStore)).toBe('multi@8.0.0');
  });

  it('04#43 04#44 that nothing answers to is refused', () => {
    expect(() => resolved({ id: 'fake-buildpack' }, fromStore)).toThrow(
      "could not find buildpack with id 'fake-buildpack'",
    );
    expect(() => resolved({ id: 'multi', version: '8.0.1' }, fromStore)).toThrow(
      "could not find buildpack with id 'multi' and version '8.0.1'",
    );
  });

  it('04#45 finds what is nested in a Buildpack', () => {
    const catalogue = aCatalogue({ buildpacks: [{ name: 'bp', offers: offers('a', ...meta) }] });
    expect([resolved({ id: 'meta' }, catalogue), resolved({ id: 'engine' }, catalogue)]).toEqual([
      'meta@1',
      'engine@1',
    ]);
  });

  const everywhere = aCatalogue({
    buildpacks: [{ name: 'bp', offers: offers('bp', 'multi@8.0.0', 'multi@9.0.0') }],
    clusterBuildpacks: [{ name: 'cbp', offers: offers('cbp', 'multi@8.0.0') }],
    store: offers('store', 'multi@8.0.0', 'multi@9.0.0'),
  });

  it('04#54 with a version prefers Buildpack, then ClusterBuildpack, then the store', () => {
    expect(resolveRef({ id: 'multi', version: '8.0.0' }, everywhere).account.serviceAccount).toBe('bp');
    const without = { ...everywhere, buildpacks: [] };
    expect(resolveRef({ id: 'multi', version: '8.0.0' }, without).account.serviceAccount).toBe('cbp');
  });

  it('04#55 without version means the highest of all sources', () => {
    const catalogue = { ...fromStore, clusterBuildpacks: [{ name: 'cbp', offers: offers('cbp', 'multi@9.1.0') }] };
    expect(resolved({ id: 'multi' }, catalogue)).toBe('multi@9.1.0');
  });

  it('04#56 without version prefers the store among equals', () => {
    expect(resolveRef({ id: 'multi' }, everywhere).account.serviceAccount).toBe('store');
  });

  it('04#57 04#58 without version refuses versions it cannot order; with one it does not care', () => {
    const catalogue = aCatalogue({ store: offers('s', 'x@not-semver', 'x@1.0.0') });
    expect(() => resolved({ id: 'x' }, catalogue)).toThrow(
      "cannot find buildpack 'x' with latest version due to invalid semver 'not-semver'",
    );
    expect(resolved({ id: 'x', version: 'not-semver' }, catalogue)).toBe('x@not-semver');
  });

  it('04#59 orders versions by number, releases above their candidates', () => {
    const catalogue = aCatalogue({ store: offers('s', 'x@1.2.0', 'x@1.10.0', 'x@1.10.0-rc.1', 'x@v1.9') });
    expect(resolved({ id: 'x' }, catalogue)).toBe('x@1.10.0');
  });
});

describe.each([
  ['Buildpack', 'buildpacks', 'no buildpack with name', 'buildpack not found'],
  ['ClusterBuildpack', 'clusterBuildpacks', 'no cluster buildpack with name', 'cluster buildpack not found'],
] as const)('a reference by kind %s', (kind, where, noName, notFound) => {
  const catalogue = aCatalogue({
    [where]: [{ name: 'bp', offers: offers('a', ...meta) }],
    store: offers('s', 'engine@2'),
  });

  it('04#46 04#53 without id means the root of that object', () => {
    expect(resolved({ kind, name: 'bp' }, catalogue)).toBe('meta@1');
  });

  it('04#64 a root is what nothing orders, however deep the rest is nested', () => {
    const nested = [aBuildpack('top@1', ordering('meta@1')), ...meta];
    const deep = aCatalogue({ [where]: [{ name: 'bp', offers: offers('a', ...nested) }] });
    expect(resolved({ kind, name: 'bp' }, deep)).toBe('top@1');
  });

  it('04#48 04#53 names an object that must exist', () => {
    expect(() => resolved({ kind, name: 'fake' }, catalogue)).toThrow(`${noName} 'fake'`);
  });

  it('04#49 04#50 with id looks within that object only', () => {
    expect(resolved({ kind, name: 'bp', id: 'engine' }, catalogue)).toBe('engine@1');
    expect(() => resolved({ kind, name: 'bp', id: 'engine', version: '2' }, catalogue)).toThrow(/and version '2'/);
  });

  it('04#51 04#52 with id refuses what is not there', () => {
    expect(() => resolved({ kind, name: 'bp', id: 'fake' }, catalogue)).toThrow(
      "could not find buildpack with id 'fake'",
    );
    expect(() => resolved({ kind, name: 'fake', id: 'engine' }, catalogue)).toThrow(`${notFound}: fake`);
  });

  it('04#62 without id needs exactly one root', () => {
    const two = aCatalogue({ [where]: [{ name: 'bp', offers: offers('a', 'x@1', 'y@1') }] });
    expect(() => resolved({ kind, name: 'bp' }, two)).toThrow('unexpected number of root buildpacks: 2');
  });

  it('without id names the absent buildpack instead of crashing (DESIGN §4)', () => {
    const torn = aCatalogue({ [where]: [{ name: 'bp', offers: offers('a', aBuildpack('m@1', ordering('gone@1'))) }] });
    expect(() => resolved({ kind, name: 'bp' }, torn)).toThrow(/m@1 orders gone, which is not in its image/);
  });
});

describe('a reference that cannot be meant', () => {
  it.each([
    ['04#47', { kind: 'FakeBuildpack', name: 'x' }, 'kind must be either Buildpack or ClusterBuildpack'],
    ['04#60', { image: 'reg/x' }, 'using images in builders not currently supported'],
    ['04#61', {}, 'invalid buildpack reference'],
  ])('%s is refused', (_, ref, message) => {
    expect(() => resolved(ref, fromStore)).toThrow(message);
  });
});
