/** Serves conversion for as long as the process lives, with certificates that renew themselves. */
import type { KubeClient } from '../kube/client.ts';
import { sleep } from '../kube/sleep.ts';
import { type Log, sayError } from '../reconcile/log.ts';
import { issueFor, makeAuthority } from '../tls/certificate.ts';
import { conversionAuthority } from './authority.ts';
import { type ConversionEndpoint, serveConversion } from './serve.ts';
import { trustInDefinitions } from './trust.ts';

/** What it needs. */
export interface KeptConversionPorts {
  /** The cluster's API; asked for at each look, as its credentials change. */
  readonly kube: () => Promise<KubeClient>;
  readonly clock: () => Date;
  readonly log: Log;
}

/** Where it listens, and by what names the API server calls it. */
export interface KeptConversionOptions {
  readonly host: string;
  readonly port: number;
  readonly names: readonly string[];
}

/** By these it is called through its Service, in every cluster. */
export const serviceNames: readonly string[] = [
  'kpackless-conversion.kpack.svc',
  'kpackless-conversion.kpack.svc.cluster.local',
];

const leafDays = 30;
/** Certificates are made anew each day, and the authority and the definitions looked at each hour: somebody may have applied them again. */
const renewedMilliseconds = 86_400_000;
const lookMilliseconds = 3_600_000;
const firstPauseMilliseconds = 2000;
const longestPauseMilliseconds = 300_000;

/**
 * Starts it. Until the cluster knows whom to trust nobody calls; that it cannot be told is said and tried again, and holds nothing else up.
 * @throws PermanentError when the port is taken
 */
export const keepConversion = async (
  { host, port, names }: KeptConversionOptions,
  { kube, clock, log }: KeptConversionPorts,
  signal: AbortSignal,
): Promise<ConversionEndpoint & { readonly stopped: Promise<void> }> => {
  const validity = () => ({ now: clock(), days: leafDays });
  // Of an authority that nobody trusts; the first look replaces it.
  const unknown = makeAuthority('kpackless conversion, not known yet', validity());
  const endpoint = await serveConversion(host, port, issueFor(unknown, names, validity()));
  let made = { by: '', at: Number.NEGATIVE_INFINITY };
  let asked: string | undefined;

  const look = async (): Promise<void> => {
    const client = await kube();
    const { pair, trusted } = await conversionAuthority(client, clock());
    // Trusted before it is shown.
    const kinds = (await trustInDefinitions(client, trusted)).join(', ');
    const now = clock().getTime();
    if (made.by !== pair.cert || now - made.at >= renewedMilliseconds) {
      endpoint.use(issueFor(pair, names, validity()));
      made = { by: pair.cert, at: now };
    }
    if (asked === kinds) return;
    asked = kinds;
    if (kinds === '') log('warn', 'v1alpha1 is not served: no definition asks for conversion (docs/conversion.md)');
    else log('info', 'v1alpha1 is converted', { kinds });
  };

  const run = async (): Promise<void> => {
    let pause = firstPauseMilliseconds;
    while (!signal.aborted)
      try {
        await look();
        pause = firstPauseMilliseconds;
        await sleep(lookMilliseconds, signal);
      } catch (error) {
        if (signal.aborted) return;
        log('warn', 'conversion cannot be made known to the cluster', { why: sayError(error) });
        await sleep(pause, signal);
        pause = Math.min(longestPauseMilliseconds, 2 * pause);
      }
  };
  return { ...endpoint, stopped: run() };
};
