/** Ways out that lead anywhere: fakes listen on loopback, where nobody's word leads in production. */
import { openFetch } from '../../lib/egress/fetch.ts';
import { egressGuard, guardedDial } from '../../lib/egress/guard.ts';
import type { GitWay } from '../../lib/git/list-refs.ts';

/** To blobs and registries. */
export const anywhere = openFetch();

/** For clients of registries. */
export const openTransport = { fetch: anywhere } as const;

/** To git hosts. */
export const openGitWay: GitWay = { fetch: anywhere, dial: guardedDial(egressGuard(() => undefined)) };
