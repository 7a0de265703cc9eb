import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { definitionOf } from '../../../../infra/crds/definition.ts';
import { referencePages } from '../../../../infra/crds/reference.ts';
import { convertedCrdFiles, crdFiles } from '../../../../infra/crds/render.ts';
import { kindNames } from '../../../../lib/api/kinds.ts';
import { structuralFaults, undescribed } from './structural-lint.ts';

const folder = join(import.meta.dirname, '../../../../infra/crds');
const versionOf = (kind: (typeof kindNames)[number]) => {
  const [version] = definitionOf(kind).spec.versions;
  if (version === undefined) throw new Error(`${kind} has no version`);
  return version;
};
const schemaOf = (kind: (typeof kindNames)[number]): unknown => versionOf(kind).schema?.openAPIV3Schema;

describe('the committed CustomResourceDefinitions', () => {
  it('are exactly one file per kind', () => {
    const committed = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
    expect(committed.sort()).toEqual(
      crdFiles()
        .map(({ name }) => name)
        .sort(),
    );
  });

  it.each(crdFiles())('$name is what lib/api says today (else run: node infra/crds/generate.ts)', ({ name, text }) => {
    expect(readFileSync(join(folder, name), 'utf8')).toBe(text);
  });

  it.each([
    { folder: 'infra/crds/converted', files: convertedCrdFiles() },
    { folder: 'docs/api', files: referencePages() },
  ])('$folder holds what lib/api says today and nothing else (else run: npm run crds)', ({ folder: place, files }) => {
    const path = join(folder, '../..', place);
    expect(readdirSync(path).sort()).toEqual(files.map(({ name }) => name).sort());
    expect(files.filter(({ name, text }) => readFileSync(join(path, name), 'utf8') !== text)).toEqual([]);
  });

  it.each(crdFiles())('$name means the same to a YAML 1.1 reader such as kubectl', ({ text }) => {
    expect(parse(text, { version: '1.1' })).toEqual(parse(text));
  });
});

describe.each(kindNames)('the definition of %s', (kind) => {
  it('has a structural schema', () => {
    expect(structuralFaults(schemaOf(kind), kind)).toEqual([]);
  });

  it('explains every field', () => {
    expect(undescribed(schemaOf(kind), kind)).toEqual([`${kind}.metadata`]);
  });

  it('serves and stores v1alpha2 with a status of its own and no scale', () => {
    const { name, served, storage, subresources } = versionOf(kind);
    expect({ name, served, storage, subresources }).toEqual({
      name: 'v1alpha2',
      served: true,
      storage: true,
      subresources: { status: {} },
    });
  });
});

describe('what users type and see', () => {
  it('01 §1: names, short names and scopes are kpack’s', () => {
    const seen = kindNames.map((kind) => {
      const { metadata, spec } = definitionOf(kind);
      return [metadata?.name, spec.names.listKind, spec.scope, ...(spec.names.shortNames ?? [])].join(' ');
    });
    expect(seen).toEqual([
      'images.kpack.io ImageList Namespaced cnbimage cnbimages img imgs',
      'builds.kpack.io BuildList Namespaced cnbbuild cnbbuilds bld blds',
      'sourceresolvers.kpack.io SourceResolverList Namespaced',
      'builders.kpack.io BuilderList Namespaced bldr bldrs',
      'clusterbuilders.kpack.io ClusterBuilderList Cluster clstbldr clstbldrs',
      'buildpacks.kpack.io BuildpackList Namespaced bp bps',
      'clusterbuildpacks.kpack.io ClusterBuildpackList Cluster clstbp clstbps',
      'clusterstores.kpack.io ClusterStoreList Cluster',
      'clusterstacks.kpack.io ClusterStackList Cluster',
      'clusterlifecycles.kpack.io ClusterLifecycleList Cluster',
    ]);
  });

  it('01 §1: columns are kpack’s, without an age', () => {
    const columns = (kind: (typeof kindNames)[number]) =>
      versionOf(kind).additionalPrinterColumns?.map(({ name, jsonPath, type }) => `${name} ${jsonPath} ${type}`);
    const ready = 'Ready .status.conditions[?(@.type=="Ready")].status string';
    const latestImage = 'LatestImage .status.latestImage string';
    const builder = [latestImage, ready, 'UpToDate .status.conditions[?(@.type=="UpToDate")].status string'];
    expect(Object.fromEntries(kindNames.map((kind) => [kind, columns(kind)]))).toEqual({
      Image: [latestImage, ready],
      Build: ['Image .status.latestImage string', 'Succeeded .status.conditions[?(@.type=="Succeeded")].status string'],
      SourceResolver: [ready],
      Builder: builder,
      ClusterBuilder: builder,
      Buildpack: [ready],
      ClusterBuildpack: [ready],
      ClusterStore: [ready],
      ClusterStack: [ready],
      ClusterLifecycle: [ready],
    });
  });
});

describe('the structural check itself', () => {
  it.each([
    [{ type: 'object', $ref: '#/a' }, 'x uses $ref'],
    [{}, 'x has no type'],
    [{ type: 'array' }, 'x is a list of nothing'],
    [{ type: 'object', required: [] }, 'x requires an empty list'],
    [{ type: 'object', required: ['a'], properties: {} }, 'x requires unknown a'],
    [{ type: 'object', properties: {}, additionalProperties: { type: 'string' } }, 'x is both object and map'],
    [{ type: 'object', properties: { a: { anyOf: [] } } }, 'x.a uses anyOf'],
    [{ type: 'array', items: { type: 'object', oneOf: [] } }, 'x[] uses oneOf'],
  ])('finds the fault in %j', (schema, fault) => {
    expect(structuralFaults(schema, 'x')).toContain(fault);
  });
});
