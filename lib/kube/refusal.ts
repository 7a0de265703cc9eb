/** A server that refuses our credential, or has a certificate that we do not trust: how long to leave it alone (DESIGN §3.34). */
import { KubeError } from './errors.ts';

/** The same credential is shown again after so many seconds at most. Somebody may have come to terms with it. */
const longestSeconds = 15;

/** Seconds until the same credential is shown again after the n-th refusal in a row: 1, 1.5, 2.25 … and a quarter of a minute at most, with jitter. */
export const askAgainSeconds = (times: number, random: number): number =>
  Math.min(longestSeconds, 1.5 ** Math.min(times - 1, 20)) * (0.75 + 0.25 * random);

/** What whoever would ask meanwhile is told. */
export const stillRefused = ({ code, status, cause, host }: KubeError, server: string): KubeError =>
  new KubeError(
    code,
    code === 'unauthorized'
      ? `the API server at ${server} does not accept kpackless' credential: renew it where it comes from; it is looked for every few seconds`
      : `the certificate of the API server at ${server} is not trusted, or ours is not: correct the registration or kubeconfig; it is looked at every few seconds`,
    { cause, host, pace: 'slow', ...(status === undefined ? {} : { status }) },
  );
