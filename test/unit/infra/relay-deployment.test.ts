/** The manifests of the relay: what may run beside others in a cluster, and what Helm's chart is made of. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Deployment } from 'kubernetes-types/apps/v1.d.ts';
import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1.d.ts';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { relaySettingsFrom } from '../../../functions/relay/settings.ts';
import { chartTemplate, relayManifests } from '../../../infra/chart/render.ts';
import { relayNode } from '../../../infra/relay-image/build.ts';

const read = (file: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../infra/${file}`, import.meta.url)), 'utf8');
const deployment = parseAllDocuments(read('cluster/relay.yaml'))[0]?.toJS() as Deployment;
const budget = parse(read('cluster/relay-disruption.yaml')) as PodDisruptionBudget;
const pod = deployment.spec?.template.spec;
const container = pod?.containers[0];

describe('the Deployment of the relay', () => {
  it('fits Pod Security restricted', () => {
    expect(pod?.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(container?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod?.volumes).toBeUndefined();
  });

  it('is replaced without a moment in which nobody watches', () => {
    expect(deployment.spec?.strategy).toEqual({
      type: 'RollingUpdate',
      rollingUpdate: { maxSurge: 1, maxUnavailable: 0 },
    });
  });

  it('lets nodes be drained one relay at a time, the only one too', () => {
    expect(budget.spec?.maxUnavailable).toBe(1);
    expect(budget.spec?.selector).toEqual(deployment.spec?.selector);
  });

  it('leaves Node room beside the heap that it may have', () => {
    const heap = Number(/=(\d+)$/.exec(relayNode.flags.find((flag) => flag.includes('old-space')) ?? '')?.[1]);
    const limit = String(container?.resources?.limits?.['memory']);
    expect(limit).toMatch(/^\d+Mi$/);
    expect(Number.parseInt(limit, 10)).toBeGreaterThanOrEqual(heap + 60);
  });

  it('says all that the relay must be told, and nothing that it does not know', () => {
    const said = Object.fromEntries(container?.env?.map(({ name, value }) => [name, value]) ?? []);
    expect(Object.keys(said).sort()).toEqual([
      'AWS_REGION',
      'KPACKLESS_CLUSTER',
      'KPACKLESS_CONVERSION_PORT',
      'KPACKLESS_LIST_EVERYTHING',
      'KPACKLESS_QUEUE_URL_PREFIX',
      'KPACKLESS_TABLE',
    ]);
    expect(relaySettingsFrom(said)).toMatchObject({
      KPACKLESS_LIST_EVERYTHING: false,
      KPACKLESS_HEALTH_PORT: 8080,
      KPACKLESS_CONVERSION_PORT: 8443,
    });
  });
});

describe('one source', () => {
  it('is what the chart was made of: npm run chart, and commit what changed', () => {
    expect(read('chart/templates/relay.yaml')).toBe(chartTemplate());
  });

  it('is what kustomize takes', () => {
    expect(parse(read('cluster/kustomization.yaml'))).toMatchObject({ resources: [...relayManifests] });
  });

  it('has a value for everything that its schema asks for, and no other', () => {
    const { properties } = JSON.parse(read('chart/values.schema.json')) as { readonly properties: object };
    const { global: _, ...own } = properties as Readonly<Record<string, unknown>>;
    expect(Object.keys(parse(read('chart/values.yaml')) as object).sort()).toEqual(Object.keys(own).sort());
    const used = [...chartTemplate().matchAll(/\.Values\.(\w+)/g)].map(([, name]) => name ?? '');
    expect([...new Set(used)].sort()).toEqual(Object.keys(own).sort());
  });
});
