import { describe, expect, it } from 'vitest';
import { PermanentError } from '../../../lib/errors/expected.ts';
import { isLabel, isSubdomain } from '../../../lib/kube/names.ts';
import { collectionPath, foreignPath, objectPath } from '../../../lib/kube/resources.ts';

const strange = ['', '.', '..', '../../secrets/s', 'a/b', '%2e%2e', '%2F', '\uD800', 'a'.repeat(254)];

describe('a path of the API', () => {
  it('is made of kind, namespace and name', () => {
    expect(objectPath('Secret', 'team', 'a.b-c')).toBe('/api/v1/namespaces/team/secrets/a.b-c');
    expect(objectPath('ClusterStore', '', 'base')).toBe('/apis/kpack.io/v1alpha2/clusterstores/base');
    expect(foreignPath('a.io/v1', 'things', 'team', 'x')).toBe('/apis/a.io/v1/namespaces/team/things/x');
    expect(foreignPath('v1', 'things', 'team', 'x')).toBe('/api/v1/namespaces/team/things/x');
  });

  it.each(strange)('is not made of the name %j', (name) => {
    expect(() => objectPath('Secret', 'team', name)).toThrow(PermanentError);
  });

  it.each(strange.filter((text) => text !== ''))('is not made of the namespace %j', (namespace) => {
    expect(() => collectionPath('Secret', namespace)).toThrow(PermanentError);
  });

  it.each(strange)('of a foreign kind is not made of %j, in whatever place', (text) => {
    for (const [version, plural, namespace, name] of [
      [text === 'a/b' ? 'a/b/c' : text, 'things', 'team', 'x'],
      [`a.io/${text}`, 'things', 'team', 'x'],
      ['v1', text, 'team', 'x'],
      ['v1', 'things', text, 'x'],
      ['v1', 'things', 'team', text],
    ] as const)
      expect(() => foreignPath(version, plural, namespace, name)).toThrow(PermanentError);
  });

  it('keeps what is strange in a name to itself, but what cannot climb', () => {
    expect(objectPath('Secret', 'team', 'a?b#c')).toBe('/api/v1/namespaces/team/secrets/a%3Fb%23c');
  });

  it('that is refused is told with the name made printable', () => {
    expect(() => objectPath('Secret', 'team', 'a/\u202E\u001B[31m')).toThrow(
      '"a/  [31m" cannot be the name of a Secret; correct the reference to it',
    );
  });
});

describe('names of Kubernetes', () => {
  it.each(['a', 'a-b.c', '0', 'a'.repeat(253)])('%s is a subdomain', (text) => expect(isSubdomain(text)).toBe(true));
  it.each(['', '.', '..', 'a..b', '-a', 'a-', 'a.-b', 'A', 'ä', 'a b', 'a#b', 'a/b', 'a\n', 'a'.repeat(254)])(
    '%j is none',
    (text) => expect(isSubdomain(text)).toBe(false),
  );
  it('a label has no dot and at most 63 characters', () => {
    expect([isLabel('a-b'), isLabel('a.b'), isLabel('a'.repeat(64)), isLabel('a\n')]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});
