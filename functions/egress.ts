/** The ways out to hosts that tenants name; there are no others (lib/egress). */

import type { NodeFetch } from '../lib/egress/fetch.ts';
import { egressGuard, type GuardOptions, guardedDial } from '../lib/egress/guard.ts';
import { type GuardedFetchOptions, guardedFetch } from '../lib/egress/guarded-fetch.ts';
import { type Judge, judgeBy } from '../lib/egress/policy.ts';
import { trustGivenCertificates } from '../lib/egress/trust.ts';
import type { GitWay } from '../lib/git/list-refs.ts';
import type { Settings } from './settings.ts';

/** What decides over addresses. */
export type EgressSettings = Pick<
  Settings,
  'KPACKLESS_EGRESS_ALLOW' | 'KPACKLESS_EGRESS_DENY' | 'KPACKLESS_EGRESS_PRIVATE'
>;

const judgeOf = (settings: EgressSettings): Judge =>
  judgeBy({
    allow: settings.KPACKLESS_EGRESS_ALLOW,
    deny: settings.KPACKLESS_EGRESS_DENY,
    privateRanges: settings.KPACKLESS_EGRESS_PRIVATE === 'allow',
  });

/** A fetch that trusts whom the process is told to trust by `SSL_CERT_FILE` or `SSL_CERT_DIR`, for git hosts, blobs and registries alike. */
const trustingFetch = (judge: Judge, options: GuardedFetchOptions): NodeFetch => {
  trustGivenCertificates(process.env, { system: false });
  return guardedFetch(judge, options);
};

/** To registries, their token services and whatever they redirect to. */
export const registryFetch = (
  settings: EgressSettings,
  options: Omit<GuardedFetchOptions, 'plainHttp'> = {},
): NodeFetch => trustingFetch(judgeOf(settings), { ...options, plainHttp: 'among private addresses' });

/** To blobs. */
export const blobFetch = (settings: EgressSettings, options: GuardOptions = {}): NodeFetch =>
  trustingFetch(judgeOf(settings), { ...options, plainHttp: 'anywhere' });

/** To git hosts. */
export const gitWay = (settings: EgressSettings, options: GuardOptions = {}): GitWay => ({
  fetch: blobFetch(settings, options),
  dial: guardedDial(egressGuard(judgeOf(settings), options)),
});
