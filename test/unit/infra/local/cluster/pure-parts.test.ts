import { describe, expect, it } from 'vitest';

import { cacheKey } from '../../../../../infra/local/cluster/cache-key.ts';
import { mountsUnder } from '../../../../../infra/local/cluster/mounts.ts';
import { cniConfig, interfaceInRange } from '../../../../../infra/local/cluster/network.ts';
import { hasCapabilities } from '../../../../../infra/local/cluster/packages.ts';
import { buildFlags, LIFECYCLE_VERSION, PROGRAMS } from '../../../../../infra/local/cluster/programs.ts';
import { defaultCacheDir, defaultStateDir, stateLayout } from '../../../../../infra/local/cluster/state.ts';
import { volumeFor } from '../../../../../infra/local/cluster/volumes.ts';

describe('the cache of compiled programs', () => {
  const key = (change: Partial<Record<'flags' | 'mod' | 'platform' | 'sum', string>> = {}): string =>
    cacheKey(change.mod ?? 'mod', change.sum ?? 'sum', [change.flags ?? '-s'], change.platform ?? 'linux/x64');

  it('finds what was compiled from the same pins with the same flags', () => {
    expect(key()).toBe(key());
    expect(key()).toMatch(/^[0-9a-f]{16}$/);
  });

  it.each([{ mod: 'other' }, { sum: 'other' }, { flags: 'other' }, { platform: 'linux/arm64' }])(
    'compiles again after a change of %o',
    (change) => {
      expect(key(change)).not.toBe(key());
    },
  );

  it('does not take text moved from go.mod to go.sum for the same pins', () => {
    expect(key({ mod: 'ab', sum: 'c' })).not.toBe(key({ mod: 'a', sum: 'bc' }));
  });

  it('is in the folder that XDG names, or in the usual one', () => {
    expect(defaultCacheDir({ XDG_CACHE_HOME: '/c' })).toBe('/c/kpackless');
    expect(defaultCacheDir({})).toMatch(/\/\.cache\/kpackless$/);
    expect(defaultStateDir({ XDG_STATE_HOME: '/s' })).toBe('/s/kpackless');
    expect(defaultStateDir({ XDG_STATE_HOME: '' })).toMatch(/\/\.local\/state\/kpackless$/);
  });
});

describe('the compiled programs', () => {
  it('say the lifecycle version that the lifecycle image is labelled with', () => {
    const lifecycle = PROGRAMS.filter(({ module }) => module === 'lifecycle');
    expect(lifecycle.map(({ name }) => name)).toEqual(['lifecycle', 'launcher']);
    for (const program of lifecycle)
      expect(buildFlags(program).at(-1)).toContain(
        `-X github.com/buildpacks/lifecycle/cmd.Version=${LIFECYCLE_VERSION}`,
      );
  });

  it('tell their Kubernetes version, without which clients misjudge the server', () => {
    const flags = PROGRAMS.filter(({ module }) => module === 'kubernetes').map((program) => buildFlags(program).at(-1));
    expect(flags).toHaveLength(5);
    for (const flag of flags) expect(flag).toContain('gitVersion=v1.34.4 -X k8s.io/component-base/version.gitMajor=1');
  });
});

describe('cleaning up after a cluster', () => {
  const line = (point: string): string => `36 35 98:0 / ${point} rw,noatime shared:1 - tmpfs tmpfs rw`;

  it('unmounts what lies deepest first and leaves all others alone', () => {
    const mountinfo = [
      line('/'),
      line('/s/kpackless/run/a'),
      line('/s/kpackless-other/x'),
      line('/s/kpackless/run/a/deep/er'),
      '',
    ].join('\n');
    expect(mountsUnder(mountinfo, '/s/kpackless')).toEqual(['/s/kpackless/run/a/deep/er', '/s/kpackless/run/a']);
  });

  it('finds mount points with blanks and the folder itself, as often as it is mounted', () => {
    const mountinfo = [line('/my\\040state'), line('/my\\040state'), line('/my')].join('\n');
    expect(mountsUnder(mountinfo, '/my state')).toEqual(['/my state', '/my state']);
  });

  it('removes with the run folder only what does not outlive a start', () => {
    const layout = stateLayout('/s');
    const kept = [layout.etcd, layout.pki, layout.registry, layout.volumes, layout.git, layout.containerd];
    for (const dir of kept) expect(dir.startsWith(`${layout.run}/`)).toBe(false);
    expect(layout.pids.startsWith(`${layout.run}/`)).toBe(true);
  });
});

describe('whether this machine can run a cluster', () => {
  it('takes root with network and system rights', () => {
    expect(hasCapabilities('Name:\tnode\nCapEff:\t000001ffffffffff\n')).toBe(true);
  });

  it('does not take root in an ordinary container', () => {
    expect(hasCapabilities('CapEff:\t00000000a80425fb\n')).toBe(false);
    expect(hasCapabilities('')).toBe(false);
  });

  it('names the interface that uses our addresses', () => {
    const address = (ip: string) => ({
      address: ip,
      netmask: '',
      mac: '',
      internal: false,
      cidr: null,
      family: 'IPv4' as const,
    });
    expect(interfaceInRange({ lo: [address('127.0.0.1')], podman0: [address('10.88.0.1')] })).toBe('podman0');
    expect(interfaceInRange({ lo: [address('127.0.0.1')], eth0: [address('10.8.8.1')] })).toBeUndefined();
  });
});

describe('the network of pods', () => {
  it('keeps clear of the addresses of this machine and of the test hosts, and switches on no forwarding', () => {
    const text = JSON.stringify(cniConfig('/run/x'));
    expect(text).toContain('"rangeStart":"10.88.1.1","rangeEnd":"10.88.254.254"');
    expect(text).not.toContain('isGateway');
  });
});

describe('a volume for a claim', () => {
  const claim = {
    metadata: { name: 'cache', namespace: 'apps', uid: 'u-1' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '2Gi' } }, storageClassName: 'local' },
  };

  it('belongs to this very claim, so that no other can take it', () => {
    expect(volumeFor(claim, '/v').spec?.claimRef).toMatchObject({ namespace: 'apps', name: 'cache', uid: 'u-1' });
  });

  it('is as large as asked for, in a folder of its own, and goes with the claim', () => {
    expect(volumeFor(claim, '/v').spec).toMatchObject({
      capacity: { storage: '2Gi' },
      hostPath: { path: '/v/pvc-u-1' },
      persistentVolumeReclaimPolicy: 'Delete',
    });
  });
});
