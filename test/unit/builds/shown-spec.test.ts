import { describe, expect, it } from 'vitest';
import { shownSpec } from '../../../lib/builds/shown-spec.ts';
import { buildB } from './base-build.ts';

const shown = (spec: object): string => JSON.stringify(shownSpec(buildB(spec).spec));

describe('a spec in an attestation', () => {
  it('is the spec as it is where nothing in it can be a secret', () => {
    const { spec } = buildB({ defaultProcess: 'web', cosign: { annotations: [{ name: 'team', value: 'a' }] } });
    expect(shownSpec(spec)).toEqual(spec);
  });

  it.each([
    ['a variable', { env: [{ name: 'A', value: 'sesame' }] }],
    ['a variable from elsewhere', { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'sesame', key: 'k' } } }] }],
    ['the password of a git URL', { source: { git: { url: 'https://u:sesame@h/a', revision: 'main' } } }],
    ['that of a URL that is none', { source: { git: { url: 'https//u:sesame@h/a', revision: 'main' } } }],
    ['the signature of a blob', { source: { blob: { url: 'https://h/a?sig=sesame' } } }],
    ['a URL anywhere else', { notary: { v1: { url: 'https://u:sesame@h', secretRef: { name: 'n' } } } }],
  ])('does not show %s', (_, spec) => {
    expect(shown(spec)).not.toContain('sesame');
  });
});
