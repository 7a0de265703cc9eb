/** The Deployment of standalone mode fits the program that it runs, and Pod Security `restricted`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Deployment } from 'kubernetes-types/apps/v1.d.ts';
import type { PersistentVolumeClaim } from 'kubernetes-types/core/v1.d.ts';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { settingNames } from '../../../functions/settings.ts';
import { standaloneNode } from '../../../infra/standalone/node.ts';
import { standaloneSettings } from '../../../infra/standalone/settings.ts';

const file = join(import.meta.dirname, '..', '..', '..', 'infra', 'standalone', 'deployment.yaml');
const [claim, deployment] = parseAllDocuments(readFileSync(file, 'utf8')).map(
  (document) => document.toJS() as unknown,
) as [PersistentVolumeClaim, Deployment];
const pod = deployment.spec?.template.spec;
const container = pod?.containers[0];
const environment = Object.fromEntries(container?.env?.map(({ name, value }) => [name, value]) ?? []);

describe('the Deployment of standalone mode', () => {
  it('never runs two at once, and gives each its time to stop', () => {
    expect(deployment.spec).toMatchObject({ replicas: 1, strategy: { type: 'Recreate' } });
    expect(pod?.terminationGracePeriodSeconds).toBeGreaterThan(30);
  });

  it('sets what the program knows, and enters the cluster as the account that rbac.yaml makes', () => {
    const known = [...settingNames, 'KPACKLESS_DATABASE', 'KPACKLESS_CONVERSION_PORT'];
    expect(Object.keys(environment).filter((name) => !known.includes(name))).toEqual([]);
    expect(standaloneSettings(environment)).toMatchObject({
      registration: { access: 'in-cluster' },
      databaseFile: '/data/kpackless.sqlite',
      conversionPort: 8443,
    });
    expect(pod?.serviceAccountName).toBe('kpackless');
  });

  it('keeps the database on its claim and writes nowhere else', () => {
    const volume = pod?.volumes?.find(({ persistentVolumeClaim }) => persistentVolumeClaim !== undefined);
    expect(volume?.persistentVolumeClaim?.claimName).toBe(claim.metadata?.name);
    expect(claim.spec?.accessModes).toEqual(['ReadWriteOnce']);
    expect(container?.volumeMounts).toContainEqual({ name: volume?.name, mountPath: '/data' });
    expect(container?.securityContext?.readOnlyRootFilesystem).toBe(true);
  });

  it('05#1 is restricted', () => {
    expect(pod?.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(container?.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('leaves Node room beside the heap it may have', () => {
    const heap = Number(/=(\d+)$/.exec(standaloneNode.flags.find((flag) => flag.includes('old-space')) ?? '')?.[1]);
    expect(Number.parseInt(String(container?.resources?.limits?.['memory']), 10)).toBeGreaterThanOrEqual(heap + 100);
  });
});
