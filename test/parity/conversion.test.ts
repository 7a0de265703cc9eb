/** What kpack's conversion webhook made of recorded objects, against ours (test/recordings/conversion.json, spec 01 §10). */
import { describe, expect, it } from 'vitest';
import { defaultCache } from '../../lib/api/defaults.ts';
import { remainderAnnotation } from '../../lib/api/labels.ts';
import { isJsonObject, type JsonObject } from '../../lib/conversion/json.ts';
import { convertReview } from '../../lib/conversion/review.ts';
import { golden } from '../support/golden.ts';

interface Recorded {
  readonly from: JsonObject & { readonly kind: string };
  readonly to: string;
  readonly converted: JsonObject | null;
  readonly result: JsonObject;
}

const recorded = golden('conversion.json') as readonly Recorded[];

/** kpack's structs print empty members; to the API server they are absent. */
const withoutEmpty = (value: unknown): unknown => {
  if (value === '' || value === null) return undefined;
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((item) => withoutEmpty(item) ?? {});
  if (!isJsonObject(value)) return value;
  const members = Object.entries(value)
    .map(([name, member]) => [name, withoutEmpty(member)] as const)
    .filter(([, member]) => member !== undefined);
  return members.length === 0 ? undefined : Object.fromEntries(members);
};

/** Ours carries what kpack loses in an annotation of its own: the one difference. */
const withoutRemainder = (object: JsonObject | undefined): JsonObject | undefined => {
  if (object === undefined || !isJsonObject(object['metadata'])) return object;
  const { annotations, ...metadata } = object['metadata'];
  if (!isJsonObject(annotations)) return object;
  const { [remainderAnnotation]: _, ...rest } = annotations;
  return { ...object, metadata: { ...metadata, annotations: rest } };
};

const asked = ({ from, to }: Recorded) =>
  convertReview(
    { kind: 'ConversionReview', request: { uid: 'u', desiredAPIVersion: to, objects: [from] } },
    { defaultCache },
  )?.response;

describe('recorded conversions', () => {
  const named = recorded.map((conversion, index) => ({
    ...conversion,
    title: `${index + 1}: ${conversion.from.kind} to ${conversion.to}`,
  }));

  it.each(named)('$title is kpack’s, but for the annotation that carries what kpack loses', (conversion) => {
    const answer = asked(conversion);
    expect(answer?.uid).toBe('u');
    expect(withoutEmpty(withoutRemainder(answer?.convertedObjects[0]))).toEqual(withoutEmpty(conversion.converted));
    expect(answer?.result).toEqual(withoutEmpty(conversion.result));
  });

  it('are there in number', () => {
    expect(recorded.length).toBeGreaterThan(20);
  });
});
