/** What the standalone process is told by its environment, and how it is said by whoever starts it. */
import { describe, expect, it } from 'vitest';
import { environmentOf, type StandaloneSettings, standaloneSettings } from '../../../infra/standalone/settings.ts';

const everything: StandaloneSettings = {
  cluster: 'prod-1',
  registration: {
    access: 'kubeconfig',
    path: '/home/me/kube config',
    grants: [
      {
        prefix: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/team-a',
        access: 'write',
        namespaces: ['team-a', 'team-b'],
        clusterScoped: false,
        roleArn: 'arn:aws:iam::123456789012:role/ecr-kpackless-a',
      },
      { prefix: '123456789012.dkr.ecr.eu-west-1.amazonaws.com', access: 'read', namespaces: [], clusterScoped: true },
    ],
    rate: { perSecond: 50, burst: 200 },
  },
  databaseFile: '/data/kpackless.sqlite',
  listen: '::',
  healthPort: 0,
  hookPort: 8090,
  logFile: '/tmp/log',
  settings: {},
};

describe('the settings of standalone mode', () => {
  it('are read back as they were said', () => {
    const environment = { ...environmentOf(everything), KPACKLESS_HOOK_SECRET: 'x' };
    expect(standaloneSettings(environment)).toEqual(everything);
  });

  it('in a pod need nothing: its ServiceAccount, loopback, no hooks', () => {
    expect(standaloneSettings({})).toEqual({
      cluster: 'local',
      registration: { access: 'in-cluster', grants: [] },
      databaseFile: undefined,
      listen: '127.0.0.1',
      healthPort: 8080,
      hookPort: undefined,
      logFile: undefined,
      settings: {},
    });
  });

  it('let as many requests be made at once as in a second, unless more is said', () => {
    expect(standaloneSettings({ KPACKLESS_REQUESTS_PER_SECOND: '50' }).registration.rate).toEqual({
      perSecond: 50,
      burst: 50,
    });
  });

  it('are all named when they are wrong', () => {
    const wrong = {
      KPACKLESS_CLUSTER: 'a b',
      KPACKLESS_GRANTS: 'write everything',
      KPACKLESS_REQUEST_BURST: '5',
      KPACKLESS_LISTEN: 'everywhere',
      KPACKLESS_HEALTH_PORT: 'http',
      KPACKLESS_HOOK_PORT: '8090',
    };
    let said = '';
    try {
      standaloneSettings(wrong);
    } catch (error) {
      said = (error as Error).message;
    }
    expect(said.split('\n')).toEqual([
      'kpackless cannot start:',
      'KPACKLESS_CLUSTER is "a b": must be a name of a cluster: letters, digits, dot, dash, underscore, at most 100',
      expect.stringContaining('KPACKLESS_GRANTS is "write everything": '),
      'KPACKLESS_LISTEN is "everywhere": must be an address of this machine',
      'KPACKLESS_HEALTH_PORT is "http": must be a port',
      'KPACKLESS_REQUEST_BURST is "5": needs KPACKLESS_REQUESTS_PER_SECOND',
      'KPACKLESS_HOOK_PORT is "8090": needs KPACKLESS_HOOK_SECRET: without, every hook is refused',
    ]);
  });

  it.each([
    [{ KPACKLESS_HOOK_PORT: '8090' }, /needs KPACKLESS_HOOK_SECRET/],
    [{ KPACKLESS_HEALTH_PORT: '70000' }, /KPACKLESS_HEALTH_PORT is "70000": must be a port/],
    [{ KPACKLESS_REQUESTS_PER_SECOND: '0' }, /KPACKLESS_REQUESTS_PER_SECOND is "0": must be a whole number/],
    [{ KPACKLESS_REQUEST_BURST: '5' }, /needs KPACKLESS_REQUESTS_PER_SECOND/],
    [{ KPACKLESS_GRANTS: 'write everything' }, /its form is read\|write REGISTRY/],
  ])('%j is refused with a sentence', (environment, sentence) => {
    expect(() => standaloneSettings(environment)).toThrow(sentence);
  });

  it('put no secret of handlers anywhere but where it was', () => {
    const said = environmentOf({ ...everything, settings: { KPACKLESS_HOOK_SECRET: 'secret' } });
    expect(Object.entries(said).filter(([, value]) => value.includes('secret'))).toEqual([
      ['KPACKLESS_HOOK_SECRET', 'secret'],
    ]);
  });
});
