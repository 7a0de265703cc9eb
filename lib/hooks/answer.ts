/**
 * Push hooks: a git host says that something moved, and the polls of that repository look at once. What a hook says is never
 * believed: it only saves waiting. The worst a stolen secret buys is listings of what the secret is for, a few seconds apart. The answer
 * does not tell whether anybody follows a repository.
 */
import { createHash } from 'node:crypto';
import { ExpectedError } from '../errors/expected.ts';
import { type Log, sayError } from '../reconcile/log.ts';
import type { WakePlacePorts } from '../sources/wake-place.ts';
import { payloadIn } from './pushed.ts';
import { type HookAnswer, type HookRequest, maxHookBytes, type Provider, providerOf } from './request.ts';
import type { HookSecret } from './secrets.ts';
import { type Proof, proofOf } from './signature.ts';
import { wakePolls } from './wake.ts';

/** What answering needs. */
export interface HookPorts extends WakePlacePorts {
  /** The secrets that are accepted; none switches hooks off. @throws ExpectedError when they cannot be read for now */
  secrets(): Promise<readonly HookSecret[]>;
  readonly clock: () => Date;
  readonly log: Log;
}

const answer = (status: number, body: HookAnswer['body']): HookAnswer => ({ status, body });

/**
 * What makes two deliveries one. A signed body that is sent again, by whomever, is the same push. A token proves nothing about the
 * body, so equal bodies are two pushes there, unless the provider numbers its deliveries.
 */
const occasionOf = (provider: Provider, proof: Proof, { headers, body }: HookRequest, now: Date): string => {
  const numbered = provider === 'gitlab' ? (headers['idempotency-key'] ?? headers['x-gitlab-event-uuid']) : undefined;
  const delivery = proof === 'signature' ? '' : (numbered ?? String(now.getTime()));
  return `hook@${createHash('sha256').update(`${delivery}\n`).update(body).digest('hex')}`;
};

/** Answers hooks. It throws only what is a bug. */
export const hookAnswerer =
  (ports: HookPorts) =>
  async (request: HookRequest): Promise<HookAnswer> => {
    if (request.method !== 'POST') return answer(405, { error: 'hooks are sent by POST' });
    if (request.body.length > maxHookBytes)
      return answer(413, { error: `a hook may have ${maxHookBytes} bytes; the poll finds the push without it` });
    const provider = providerOf(request);
    try {
      const secrets = await ports.secrets();
      if (secrets.length === 0) return answer(503, { error: 'push hooks are off: no secret is set' });
      const proof = proofOf(provider, request, secrets);
      if (proof === undefined) {
        ports.log('warn', 'hook refused', { provider });
        return answer(401, { error: `no valid signature or token, as ${provider} sends it` });
      }
      const payload = payloadIn(provider, request);
      if (payload.kind === 'ignored') return answer(200, { ignored: payload.event });
      if (payload.kind === 'unreadable') return answer(400, { error: `no push of ${provider}: ${payload.why}` });
      const occasion = occasionOf(provider, proof.by, request, ports.clock());
      const covered = await wakePolls(ports, payload.pushed, { scopes: proof.scopes, occasion });
      ports.log(covered === 'all' ? 'info' : 'warn', 'hook taken', { provider, covered });
      return answer(202, { taken: 'what follows the repository looks at it' });
    } catch (error) {
      if (!(error instanceof ExpectedError)) throw error;
      ports.log('error', 'hook could not be taken', { provider, why: sayError(error) });
      return answer(503, { error: 'not now; the poll finds the push without it' });
    }
  };
