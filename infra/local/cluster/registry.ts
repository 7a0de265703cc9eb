import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { TestHost } from './network.ts';
import type { ProcessSpec } from './process.ts';
import type { StateLayout } from './state.ts';

export const REGISTRY_PORT = 5000;

/** A real registry on its own host; whoever reaches the bridge may push and delete. */
export const registryProcess = (command: string, layout: StateLayout, host: TestHost): ProcessSpec => {
  const config = join(layout.conf, 'registry.json');
  writeFileSync(config, JSON.stringify(registryConfig(layout.registry, `${host.address}:${REGISTRY_PORT}`)));
  return {
    name: 'registry',
    command,
    args: ['serve', config],
    netns: host.netns,
    env: { OTEL_TRACES_EXPORTER: 'none' },
  };
};

const registryConfig = (dir: string, address: string): object => ({
  version: 0.1,
  log: { level: 'warn', accesslog: { disabled: true } },
  storage: { filesystem: { rootdirectory: dir, maxthreads: 100 }, delete: { enabled: true } },
  http: { addr: address },
});
