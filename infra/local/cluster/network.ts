import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';

import { ExpectedError } from '../../../lib/errors/expected.ts';
import { run, tryRun } from './command.ts';
import type { StateLayout } from './state.ts';

/**
 * One bridge that pods, test hosts and this machine share. Nothing is routed or listens outside it: a pod reaches the other pods,
 * the test hosts and 10.88.0.1, and nothing else.
 */
export const BRIDGE = 'kpackless0';
export const BRIDGE_ADDRESS = '10.88.0.1';
/** Where registry, git server and the hosts of tests are. */
export const HOSTS_RANGE = '10.88.255.0/24';
const PREFIX = 16;
const NETNS_PREFIX = 'kpackless-';

/** A host of its own on the bridge: a network namespace with one address. */
export interface TestHost {
  readonly name: string;
  readonly address: string;
  /** For `ip netns exec` and `startProcess`. */
  readonly netns: string;
  /** Unplugs or plugs its cable: what a host that is down looks like, without killing anything. */
  setReachable(reachable: boolean): Promise<void>;
}

/**
 * Makes the bridge, and the CNI configuration that plugs pods into it. Addresses are given out anew after every start.
 * @throws ExpectedError when another interface of the machine has an address in our range.
 */
export const createNetwork = async (layout: StateLayout): Promise<void> => {
  const taken = interfaceInRange(networkInterfaces());
  if (taken !== undefined)
    throw new ExpectedError(
      `the local cluster needs the addresses 10.88.0.0/${PREFIX}, and ${taken} has one of them: take that interface down first`,
      { pace: 'slow' },
    );
  await run('ip', ['link', 'add', BRIDGE, 'type', 'bridge']);
  await run('ip', ['address', 'add', `${BRIDGE_ADDRESS}/${PREFIX}`, 'dev', BRIDGE]);
  await run('ip', ['link', 'set', BRIDGE, 'up']);
  if (await dropsBridgedPackets()) await run('iptables', ['-w', '-I', ...ACCEPT_RULE]);
  const dir = cniConfDir(layout);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, '10-kpackless.conflist'), JSON.stringify(cniConfig(join(layout.run, 'cni-addresses'))));
};

/** The first interface that uses an address of ours. */
export const interfaceInRange = (interfaces: ReturnType<typeof networkInterfaces>): string | undefined =>
  Object.entries(interfaces).find(([, addresses]) =>
    addresses?.some(({ address }) => address.startsWith('10.88.')),
  )?.[0];

const ACCEPT_RULE = ['FORWARD', '-i', BRIDGE, '-o', BRIDGE, '-j', 'ACCEPT'];

/** Where Docker is installed, packets that only cross a bridge go through the FORWARD chain too, and it drops them. */
const dropsBridgedPackets = async (): Promise<boolean> => {
  try {
    if (readFileSync('/proc/sys/net/bridge/bridge-nf-call-iptables', 'utf8').trim() !== '1') return false;
    return (await run('iptables', ['-w', '-S', 'FORWARD'])).startsWith('-P FORWARD DROP');
  } catch {
    return false; // no bridge filter or no iptables: nothing that drops
  }
};

export const cniConfDir = (layout: StateLayout): string => join(layout.conf, 'cni');

/** The plug of a pod. No gateway: that would make the plugin switch on the machine's IP forwarding. */
export const cniConfig = (dataDir: string): object => ({
  cniVersion: '0.4.0',
  name: 'kpackless',
  plugins: [
    {
      type: 'bridge',
      bridge: BRIDGE,
      ipam: {
        type: 'host-local',
        ranges: [[{ subnet: `10.88.0.0/${PREFIX}`, rangeStart: '10.88.1.1', rangeEnd: '10.88.254.254' }]],
        dataDir,
      },
    },
  ],
});

/** Adds a host at 10.88.255.<number>. */
export const addTestHost = async (name: string, number: number): Promise<TestHost> => {
  const netns = `${NETNS_PREFIX}${name}`;
  const address = `10.88.255.${number}`;
  const outside = `kpl${number}`;
  await run('ip', ['netns', 'add', netns]);
  await run('ip', ['link', 'add', outside, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', netns]);
  await run('ip', ['link', 'set', outside, 'master', BRIDGE, 'up']);
  await run('ip', ['-n', netns, 'link', 'set', 'lo', 'up']);
  await run('ip', ['-n', netns, 'address', 'add', `${address}/${PREFIX}`, 'dev', 'eth0']);
  await run('ip', ['-n', netns, 'link', 'set', 'eth0', 'up']);
  return {
    name,
    address,
    netns,
    setReachable: async (reachable) => {
      await run('ip', ['link', 'set', outside, reachable ? 'up' : 'down']);
    },
  };
};

/** Removes the test hosts, the bridge and what hangs on it. */
export const removeNetwork = async (): Promise<void> => {
  if (await dropsBridgedPackets()) await tryRun('iptables', ['-w', '-D', ...ACCEPT_RULE]);
  const names = (await run('ip', ['netns', 'list'])).split('\n').map((line) => line.split(' ')[0] ?? '');
  for (const netns of names.filter((name) => name.startsWith(NETNS_PREFIX)))
    await tryRun('ip', ['netns', 'delete', netns]);
  const links = JSON.parse((await run('ip', ['-j', 'link', 'show', 'type', 'veth'])) || '[]') as readonly {
    readonly ifname?: string;
    readonly master?: string;
  }[];
  for (const { ifname, master } of links)
    if (ifname !== undefined && master === BRIDGE) await tryRun('ip', ['link', 'delete', ifname]);
  await tryRun('ip', ['link', 'delete', BRIDGE]);
};
