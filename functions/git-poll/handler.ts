/** Looks at a git repository once for everybody who follows it. */
import { gitPollRunner } from '../../lib/sources/git-poll-pass.ts';
import { GIT_POLL_KIND } from '../../lib/sources/polling.ts';
import { gitPorts } from '../git-ports.ts';
import { ports } from '../ports.ts';
import { queueHandler } from '../reconcile-handler.ts';

export const handler = queueHandler(GIT_POLL_KIND, gitPollRunner({ ...ports, ...gitPorts(ports) }), ports);
