/** Program of the measure `prepare`: the step in a process of its own, with a pod's folders below the one that is named. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepare } from '../../lib/steps/prepare/prepare.ts';
import { runStep } from '../../lib/steps/step.ts';

void runStep(async (step) => {
  const [root = ''] = step.args;
  await prepare(
    { ...step, args: step.args.slice(1) },
    {
      workspace: join(root, 'workspace'),
      secretsDir: join(root, 'secrets'),
      platformDir: join(root, 'platform'),
      metadataDir: join(root, 'layers'),
      registrySecretsDir: join(root, 'registry-secrets'),
      dockerConfig: join(root, 'home/.docker/config.json'),
      terminationMessage: join(root, 'termination-log'),
    },
  );
  // Not resourceUsage(): that counts what the parent held when it forked.
  step.log(`peak ${/VmHWM:\s*(\d+)/u.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]} kB`);
  return 0;
});
