import { describe, expect, it } from 'vitest';
import { buildChangeLines } from '../../../lib/steps/build-changes.ts';
import { readGitSecrets } from '../../../lib/steps/prepare/git-secrets.ts';

const removed = (text: string): string => `\t\u001b[31m-\u001b[0m \u001b[31m${text}\u001b[0m`;
const added = (text: string): string => `\t\u001b[32m+\u001b[0m \u001b[32m${text}\u001b[0m`;
const lines = (...changes: readonly object[]): readonly string[] => buildChangeLines(JSON.stringify(changes));

describe('the log of build changes', () => {
  it('02#216 of a trigger has one added line', () => {
    const said = 'A new build was manually triggered on Fri, 20 Nov 2026 10:00:00 +0000';
    expect(lines({ reason: 'TRIGGER', old: '', new: said })).toEqual([
      'Build reason(s): TRIGGER',
      'TRIGGER:',
      added(said),
    ]);
  });

  it('02#217 of buildpacks that are gone has removed lines of YAML only', () => {
    const old = [{ id: 'some/bp', version: '1.0' }];
    expect(lines({ reason: 'BUILDPACK', old, new: null })).toEqual([
      'Build reason(s): BUILDPACK',
      'BUILDPACK:',
      removed('- id: some/bp'),
      removed('  version: "1.0"'),
    ]);
  });

  it('02#218 of five reasons names all in its header, and tells of each in that order', () => {
    const reasons = ['TRIGGER', 'COMMIT', 'CONFIG', 'BUILDPACK', 'STACK'];
    const said = lines(...reasons.map((reason) => ({ reason, old: `${reason} old`, new: `${reason} new` })));
    expect(said[0]).toBe('Build reason(s): TRIGGER,COMMIT,CONFIG,BUILDPACK,STACK');
    expect(said.filter((line) => line.endsWith(':'))).toEqual(reasons.map((reason) => `${reason}:`));
  });
});

describe('a mounted git Secret', () => {
  it('02#214 whose argument has two equals signs is refused', async () => {
    await expect(readGitSecrets({ basic: ['a=b=c'], ssh: [] }, '/nowhere')).rejects.toThrow(
      'could not parse git secret argument a=b=c',
    );
  });
});
