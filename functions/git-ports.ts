/** What SourceResolvers and git polls are wired with. */
import { defaultGitSettings, type RefLister, refLister } from '../lib/git/list-refs.ts';
import type { Metrics } from '../lib/metrics/metrics.ts';
import { HostCircuits } from '../lib/state/host-circuits.ts';
import { PollPages } from '../lib/state/poll-pages.ts';
import { Polls } from '../lib/state/polls.ts';
import { gitWay } from './egress.ts';
import type { Ports } from './ports.ts';

/** Each look counts, whatever it takes. */
const counted =
  (listRefs: RefLister, metrics: Pick<Metrics, 'add'>): RefLister =>
  async (question, signal) => {
    try {
      const refs = await listRefs(question, signal);
      metrics.add('GitRequests', { answered: 'yes' });
      return refs;
    } catch (error) {
      metrics.add('GitRequests', { answered: 'no' });
      throw error;
    }
  };

/** The ports, made once a process. */
export const gitPorts = ({ settings, table, metrics }: Ports) => ({
  listRefs: counted(
    refLister(gitWay(settings), {
      ...defaultGitSettings,
      trustUnknownHosts: settings.KPACKLESS_TRUST_UNKNOWN_SSH_HOSTS,
    }),
    metrics,
  ),
  hosts: new HostCircuits(table, () => metrics.add('CircuitsOpened', { of: 'host' })),
  polls: new Polls(table),
  pages: new PollPages(table),
  settings: { intervalSeconds: settings.KPACKLESS_GIT_POLL_SECONDS },
});
