/** What SourceResolvers and git polls are wired with. */
import { defaultGitSettings, refLister } from '../lib/git/list-refs.ts';
import { HostCircuits } from '../lib/state/host-circuits.ts';
import { Polls } from '../lib/state/polls.ts';
import { gitWay } from './egress.ts';
import type { Ports } from './ports.ts';

/** The ports, made once a process. */
export const gitPorts = ({ settings, table }: Ports) => ({
  listRefs: refLister(gitWay(settings), {
    ...defaultGitSettings,
    trustUnknownHosts: settings.KPACKLESS_TRUST_UNKNOWN_SSH_HOSTS,
  }),
  hosts: new HostCircuits(table),
  polls: new Polls(table),
  settings: { intervalSeconds: settings.KPACKLESS_GIT_POLL_SECONDS },
});
