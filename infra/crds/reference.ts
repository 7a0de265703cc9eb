/** The reference of the API in docs/api: a page a kind, from the same schemas as the definitions. */

import { type Kind, kindNames, kinds } from '../../lib/api/kinds.ts';
import type { Rule } from '../../lib/api/rule.ts';
import { OLDER_VERSION } from '../../lib/api/v1alpha1/resource.ts';
import { definitionOf } from './definition.ts';
import type { StructuralSchema } from './structural-schema.ts';

/** A generated page. */
export interface Page {
  readonly name: string;
  readonly text: string;
}

interface Node extends StructuralSchema {
  readonly default?: unknown;
  readonly maxLength?: number;
  readonly maxItems?: number;
}

/** Only the converter's place is told by it, which is no part of the reference. */
const anyConverter = { url: 'https://converter.example' };

/** Fields of Kubernetes' own types, which its reference explains. */
const elsewhere: ReadonlySet<string> = new Set(['affinity', 'tolerations', 'valueFrom']);

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll('<', '&lt;');

const typeOf = (node: Node): string => {
  if (node['x-kubernetes-int-or-string'] === true || node.type === undefined) return 'quantity';
  if (node.type === 'array') return `${typeOf(node.items ?? {})}[]`;
  return node.additionalProperties === undefined ? node.type : `map of ${typeOf(node.additionalProperties)}`;
};

const defaultOf = ({ default: value }: Node): string =>
  value === undefined || (typeof value === 'object' && Object.keys(value ?? {}).length === 0)
    ? ''
    : `default ${JSON.stringify(value)}`;

const boundsOf = ({ maxLength, maxItems }: Node): string =>
  [
    maxLength === undefined ? '' : `at most ${maxLength} characters`,
    maxItems === undefined ? '' : `at most ${maxItems}`,
  ].join('');

const rowOf = (path: string, node: Node, isRequired: boolean): string => {
  const facts = [isRequired ? 'required' : '', defaultOf(node), boundsOf(node)]
    .filter((fact) => fact !== '')
    .join(', ');
  return `| \`${path}\` | ${cell(typeOf(node))} | ${cell(facts)} | ${cell(node.description ?? '')} |`;
};

const innerOf = (node: Node): Node =>
  node.type === 'array' ? (node.items ?? {}) : (node.additionalProperties ?? node);

const rowsOf = (node: Node, path: string): readonly string[] => {
  const { properties = {}, required = [] } = innerOf(node);
  return Object.entries(properties).flatMap(([name, member]) => {
    const at = path === '' ? name : `${path}${node.type === 'array' ? '[]' : ''}.${name}`;
    const row = rowOf(at, member, required.includes(name));
    return elsewhere.has(name) ? [row] : [row, ...rowsOf(member, at)];
  });
};

const says = ({ message, fieldPath = '' }: Rule, path: string): string =>
  `- \`${path}${fieldPath}\`: ${message.replaceAll('<', '&lt;')}`;

const rulesOf = (node: Node, path: string): readonly string[] => [
  ...(node['x-kubernetes-validations'] ?? []).map((rule) => says(rule, path)),
  ...Object.entries(node.properties ?? {}).flatMap(([name, member]) =>
    rulesOf(member, path === '' ? name : `${path}.${name}`),
  ),
  ...(node.items === undefined ? [] : rulesOf(node.items, `${path}[]`)),
];

const header = '<!-- Made by npm run crds from lib/api: change the schemas there. -->';

const table = (part: string, node: Node | undefined): readonly string[] => {
  const rows = node === undefined ? [] : rowsOf(node, part);
  return rows.length === 0
    ? []
    : [`## ${part}`, '', '| field | type | | meaning |', '| --- | --- | --- | --- |', ...rows, ''];
};

const older = (kind: Kind, schema: Node | undefined, versions: number): readonly string[] => {
  if (versions === 1) return [];
  if (schema === undefined) return ['## v1alpha1', '', 'The same object: only `apiVersion` differs.', ''];
  return [
    `## v1alpha1`,
    '',
    `${kind} in ${OLDER_VERSION}, which is served where it can be converted. Its status is that of v1alpha2.`,
    '',
    ...table('spec', schema).slice(2),
  ];
};

const schemaIn = (kind: Kind, version: number): Node | undefined =>
  definitionOf(kind, { converter: anyConverter }).spec.versions[version]?.schema?.openAPIV3Schema as Node | undefined;

const isSame = (kind: Kind): boolean => definitionOf(kind).spec.versions.length > 1;

const pageOf = (kind: Kind): Page => {
  const { plural, shortNames, scope } = kinds[kind];
  const stored = schemaIn(kind, 0) ?? {};
  const { spec, status } = stored.properties ?? {};
  const rules = rulesOf(stored, '');
  const versions = definitionOf(kind, { converter: anyConverter }).spec.versions.length;
  const names = [plural, ...shortNames].map((name) => `\`${name}\``).join(', ');
  return {
    name: `${plural}.md`,
    text: [
      header,
      `# ${kind}`,
      '',
      `${stored.description ?? ''} ${scope === 'Namespaced' ? 'In a namespace.' : 'In the cluster.'} kubectl knows it as ${names}.`,
      '',
      ...table('spec', spec),
      ...table('status', status),
      ...(rules.length === 0 ? [] : ['## What is refused', '', ...new Set(rules), '']),
      ...older(kind, isSame(kind) ? undefined : schemaIn(kind, 1)?.properties?.['spec'], versions),
    ].join('\n'),
  };
};

const index = (): Page => ({
  name: 'README.md',
  text: [
    header,
    '# Reference of the API',
    '',
    'Group `kpack.io`, stored in `v1alpha2`. `kubectl explain image.spec.build` tells the same; how it differs from kpack is in [api.md](../api.md).',
    '',
    '| kind | | served in |',
    '| --- | --- | --- |',
    ...kindNames.map((kind) => {
      const versions = definitionOf(kind, { converter: anyConverter })
        .spec.versions.map(({ name }) => name)
        .join(', ');
      return `| [${kind}](${kinds[kind].plural}.md) | ${cell(schemaIn(kind, 0)?.description ?? '')} | ${versions} |`;
    }),
    '',
  ].join('\n'),
});

/** What docs/api holds, byte for byte. */
export const referencePages = (): readonly Page[] => [index(), ...kindNames.map(pageOf)];
