import { describe, expect, it } from 'vitest';
import { addressOf, archivePlace, logKey, nameOf } from '../../../../lib/builds/archive/place.ts';

const owner = { cluster: 'prod', namespace: 'team', build: 'app-build-7', uid: '1b2c' };

describe('the setting for the archive of logs', () => {
  it.each([
    ['logs', 's3://logs/prod/team/app-build-7/1b2c.log.gz', 'https://logs.s3.eu-west-1.amazonaws.com/prod/team/'],
    ['logs/a/b', 's3://logs/a/b/prod/team/app-build-7/1b2c.log.gz', 'https://logs.s3.eu-west-1.amazonaws.com/a/b/'],
    ['my.logs/a', 's3://my.logs/a/prod/team/app-build-7/1b2c.log.gz', 'https://s3.eu-west-1.amazonaws.com/my.logs/a/'],
    [
      'https://store.example:9000/logs/a',
      'https://store.example:9000/logs/a/prod/team/app-build-7/1b2c.log.gz',
      'https://store.example:9000/logs/a/',
    ],
  ])('%s names %s', (setting, name, begins) => {
    const place = archivePlace(setting);
    if (place === undefined) throw new Error('the setting was refused');
    const key = logKey(place, owner);
    expect(nameOf(place, key)).toBe(name);
    expect(addressOf(place, key, 'eu-west-1').href.startsWith(begins)).toBe(true);
    expect(addressOf(place, key, 'eu-west-1').href.endsWith(key)).toBe(true);
  });

  it('knows the hosts of China', () => {
    expect(addressOf({ bucket: 'logs', prefix: '' }, 'k', 'cn-north-1').host).toBe(
      'logs.s3.cn-north-1.amazonaws.com.cn',
    );
  });

  it.each([
    '',
    'Logs',
    'a',
    'logs/',
    'logs//a',
    '/logs',
    'logs/../other',
    'logs/a b',
    'logs/%2e%2e',
    's3://logs',
    'http://store.example/logs',
    'https://user:pass@store.example/logs',
    'https://store.example/logs?x=1',
    'https://store.example/logs/../other',
    'https://store.example',
    'ftp://store.example/logs',
  ])('is refused as %j', (setting) => {
    expect(archivePlace(setting)).toBeUndefined();
  });

  it('takes plain http on this machine alone', () => {
    expect(archivePlace('http://127.0.0.1:9000/logs')).toEqual({
      bucket: 'logs',
      prefix: '',
      endpoint: 'http://127.0.0.1:9000',
    });
  });
});
