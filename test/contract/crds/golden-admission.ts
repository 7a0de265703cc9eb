/** What kpack's admission answered, replayed (test/recordings/admission.json). */
import { describe, expect, it } from 'vitest';
import { golden } from '../../support/golden.ts';
import type { Answer, KpackCluster } from '../../support/kpack-cluster.ts';
import { unsaid } from '../../support/kpack-words.ts';
import { changed, made, type Sent } from './replay.ts';

interface Review {
  readonly allowed: boolean;
  readonly message?: string;
}

interface Recorded {
  readonly name: string;
  readonly operation: 'CREATE' | 'UPDATE';
  readonly object: Sent;
  readonly oldObject?: Sent;
  readonly validate?: Review;
  readonly defaults?: Review;
}

const recorded = golden('admission.json') as readonly Recorded[];

/**
 * kpack's webhooks were asked about kinds they are not registered for and said so; in a cluster nobody asks them, and the object is stored
 * (spec 01 §9.2).
 */
const isNotAsked = ({ defaults }: Recorded): boolean => defaults?.message?.includes('unhandled kind') ?? false;

const refusal = (request: Recorded): string | undefined => {
  const { validate, defaults } = request;
  if (isNotAsked(request) || (validate?.allowed === true && defaults?.allowed === true)) return undefined;
  return validate?.message ?? defaults?.message ?? '';
};

/** A refusal that is about the fields of another one: kpack's rule about who may use it comes first, ours about its content. */
const otherFaultFirst = new Set([
  'Image: build = {"cnbBindings": [{"name": "b", "metadataRef": {"name": "m"}}, {"name": "b", "metadataRef": {"name": "m"}}]}',
  'Image: build = {"cnbBindings": [{"name": "B_ad", "metadataRef": {"name": "m"}}]}',
  'Image: build = {"cnbBindings": [{"name": "b"}]}',
  'Image: notary = {"v1": {"url": "", "secretRef": {"name": "s"}}}',
  'Image: notary = {"v1": {"url": "https://n", "secretRef": {"name": ""}}}',
]);

const isDecoding = (message: string): boolean => message.includes('cannot decode incoming');

/** The suite, on a cluster that is there when its tests run. */
export const describeGoldenAdmission = (cluster: () => KpackCluster): void => {
  const ask = ({ operation, object, oldObject }: Recorded): Promise<Answer> =>
    operation === 'UPDATE' && oldObject !== undefined ? changed(cluster(), oldObject, object) : made(cluster(), object);
  const refused = recorded.flatMap((request) => {
    const message = refusal(request);
    return message === undefined ? [] : [{ ...request, message }];
  });
  const accepted = recorded.filter((request) => refusal(request) === undefined);

  describe('what kpack’s admission answered', () => {
    it.each(refused)('refuses $operation $name as kpack does, field and words', async (request) => {
      const answer = await ask(request);
      expect(answer.status).toBe(422);
      expect(answer.message).toMatch(/\b(?:spec|metadata)\b/);
      const { message, name } = request;
      const missing = isDecoding(message) || otherFaultFirst.has(name) ? [] : unsaid(answer, message);
      expect({ missing, said: answer.message }).toEqual({ missing: [], said: answer.message });
    });

    it.each(accepted)('accepts $operation $name as kpack does', async (request) => {
      const answer = await ask(request);
      expect(answer.message).toBe('');
      expect(answer.status).toBeLessThan(300);
    });

    it('is replayed whole', () => {
      expect(refused.length).toBeGreaterThan(85);
      expect(accepted.length).toBeGreaterThan(95);
    });
  });
};
