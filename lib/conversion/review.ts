/** Answers a ConversionReview (Kubernetes, "Webhook conversion"): what the API server asks when an object is read or written in the version that is not stored. */
import { isKind } from '../api/kinds.ts';
import { GROUP } from '../api/resource.ts';
import { printable } from '../text/printable.ts';
import { type ConversionOptions, convert, isConvertedKind } from './convert.ts';
import { ConversionError, isJsonObject, type JsonObject, objectIn, present, textIn } from './json.ts';

/** The API server asks for a page of a list at a time, which is 500 by default. */
const mostObjects = 10_000;
const longestUid = 128;

const versions: ReadonlySet<string> = new Set(['v1alpha1', 'v1alpha2']);

/** Success with every object, or failure with a message and none. */
interface ConversionResult {
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
}

/** The answer; `uid` is that of the question. */
export interface ConversionReviewAnswer {
  readonly apiVersion: 'apiextensions.k8s.io/v1';
  readonly kind: 'ConversionReview';
  readonly response: {
    readonly uid: string;
    readonly convertedObjects: readonly JsonObject[];
    readonly result: ConversionResult;
  };
}

/** Names come from whoever asks. */
const shown = (text: string): string => printable(text, 400);

/** `Image team/app`, as far as the object says. */
const nameOf = ({ kind, metadata }: JsonObject): string => {
  const { namespace, name } = isJsonObject(metadata) ? metadata : {};
  const path = [namespace, name].filter((part) => typeof part === 'string' && part !== '').join('/');
  return shown(`${typeof kind === 'string' ? kind : 'an object'} ${path}`.trim());
};

/** kpack's SourceResolver is the same in both versions, but for fields that neither has. */
const sourceResolver = (object: JsonObject, to: string): JsonObject => {
  const { serviceAccount, source } = objectIn(object['spec'], 'spec') ?? {};
  return present({ ...object, apiVersion: to, spec: present({ serviceAccount, source }) });
};

const converted = (object: unknown, to: string, options: ConversionOptions): JsonObject => {
  if (!isJsonObject(object)) throw new ConversionError('an object is no object');
  const kind = textIn(object['kind'], 'kind');
  const [group, version] = textIn(object['apiVersion'], 'apiVersion').split('/');
  const type = shown(`[kind=${kind} group=${group}`);
  if (group !== GROUP || !isKind(kind)) throw new ConversionError(`no conversion support for type ${type}]`);
  if (version === undefined || !versions.has(version))
    throw new ConversionError(`conversion not supported for type ${type} version=${shown(version ?? '')}]`);
  if (kind === 'SourceResolver') return sourceResolver(object, to);
  if (!isConvertedKind(kind)) throw new ConversionError(`no conversion support for type ${type}]`);
  return convert(kind, object, to, options);
};

const namedFailure = (object: unknown, error: ConversionError): string =>
  error.message.startsWith('no conversion support') || !isJsonObject(object)
    ? error.message
    : `${nameOf(object)}: ${error.message}`;

const convertAll = (
  objects: readonly unknown[],
  to: string,
  options: ConversionOptions,
): { readonly convertedObjects: readonly JsonObject[]; readonly result: ConversionResult } => {
  const convertedObjects: JsonObject[] = [];
  for (const object of objects)
    try {
      convertedObjects.push(converted(object, to, options));
    } catch (error) {
      if (!(error instanceof ConversionError)) throw error;
      return { convertedObjects: [], result: { status: 'Failure', message: namedFailure(object, error) } };
    }
  return { convertedObjects, result: { status: 'Success' } };
};

const failure = (message: string) => ({ convertedObjects: [], result: { status: 'Failure' as const, message } });

/**
 * The answer to a review, in which a failure names the object and the field: then nothing of the review is converted, as the API server wants all or
 * none. Undefined when it is no review, for which the caller answers 400.
 */
export const convertReview = (review: unknown, options: ConversionOptions = {}): ConversionReviewAnswer | undefined => {
  if (!isJsonObject(review) || review['kind'] !== 'ConversionReview' || !isJsonObject(review['request']))
    return undefined;
  const { uid, desiredAPIVersion, objects } = review['request'];
  if (typeof uid !== 'string' || uid.length > longestUid || !Array.isArray(objects)) return undefined;
  const answered = (response: ReturnType<typeof convertAll>): ConversionReviewAnswer => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'ConversionReview',
    response: { uid, ...response },
  });
  const [group, version = ''] = typeof desiredAPIVersion === 'string' ? desiredAPIVersion.split('/') : [];
  if (group !== GROUP || !versions.has(version))
    return answered(failure(`desired API version ${JSON.stringify(shown(String(desiredAPIVersion)))} is not valid`));
  if (objects.length > mostObjects)
    return answered(failure(`${objects.length} objects at once are more than ${mostObjects}: ask for smaller pages`));
  return answered(convertAll(objects, `${group}/${version}`, options));
};
