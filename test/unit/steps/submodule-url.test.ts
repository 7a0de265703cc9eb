import { describe, expect, it } from 'vitest';
import { submoduleUrl } from '../../../lib/steps/prepare/submodule-url.ts';

describe('the URL of a submodule', () => {
  it.each([
    ['https://h/team/app.git', '../lib.git', 'https://h/team/lib.git'],
    ['https://h/team/app.git/', '../lib.git', 'https://h/team/lib.git'],
    ['https://h/team/app', './lib', 'https://h/team/app/lib'],
    ['https://h/team/app.git', '../../other/lib.git', 'https://h/other/lib.git'],
    ['https://h/team/app.git', '.././../other/lib/', 'https://h/other/lib'],
    ['ssh://git@h:2222/team/app.git', '../lib.git', 'ssh://git@h:2222/team/lib.git'],
    ['git@h:team/app.git', '../lib.git', 'git@h:team/lib.git'],
    ['git@h:app.git', '../lib.git', 'git@h:lib.git'],
    ['git@h:team/app.git', '../../lib.git', 'git@h:lib.git'],
    ['https://h/a//b.git', '../c.git', 'https://h/a//c.git'],
    ['https://h/a', 'https://other/b', 'https://other/b'],
    ['https://h/a', '/srv/b', '/srv/b'],
  ])('beside %s, %s is %s, as git has it', (remote, written, expected) => {
    expect(submoduleUrl(remote, written)).toBe(expected);
  });

  it.each([
    ['https://h/app.git', '../../lib.git'],
    ['git@h:app.git', '../../lib.git'],
  ])('beside %s, %s climbs above its host', (remote, written) => {
    expect(() => submoduleUrl(remote, written)).toThrow('climbs above its host');
  });
});
