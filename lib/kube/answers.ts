/**
 * What an API server answered, judged before it is believed: JSON that is no object of the kind, whatever stands between us and the server made
 * it, is refused by name and never reaches a reconciler (DESIGN §3.33). Only what every object has is looked at, and of our kinds that there is a
 * spec, and a status with conditions or none: the rest is the schema's.
 */
import { isKind } from '../api/kinds.ts';
import { parseJsonCutBelow } from '../text/bounded-json.ts';
import { KubeError } from './errors.ts';
import { type KubeObject, type ObjectKey, showKey } from './object.ts';

/** Objects have some twenty levels at most; the API server lets ten thousand through in fields that are kept as they are. */
const deepest = 100;

/** Who was asked what, for messages. */
export interface Asked {
  readonly what: string;
  readonly server: string;
}

const refused = ({ what, server }: Asked, why: string, cause?: unknown): KubeError =>
  new KubeError('server', `${what}: ${server} ${why}`, { cause });

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The answer as JSON. @throws KubeError `server` for a proxy's page with status 200, or an answer cut short */
export const jsonIn = (body: string, asked: Asked): unknown => {
  try {
    return parseJsonCutBelow(body, deepest);
  } catch (cause) {
    throw refused(asked, 'did not answer with JSON', cause);
  }
};

const isOfKind = (value: Readonly<Record<string, unknown>>, kind: string): boolean =>
  value['kind'] === undefined || value['kind'] === kind;

const isNamed = ({ metadata }: Readonly<Record<string, unknown>>, name: string): boolean =>
  isRecord(metadata) && metadata['name'] === name;

/** Whether the conditions of a status are a list of objects; a status may also be absent or null. */
const isStatus = (status: unknown): boolean => {
  if (status === undefined || status === null) return true;
  if (!isRecord(status)) return false;
  const { conditions } = status;
  return conditions === undefined || conditions === null || (Array.isArray(conditions) && conditions.every(isRecord));
};

/** Whether what reconcilers of our kinds take for granted is there; of other kinds nothing is. */
const isWhole = ({ spec, status }: Readonly<Record<string, unknown>>, kind: string): boolean =>
  !isKind(kind) || (isRecord(spec) && isStatus(status));

/** The object `key` in an answer. @throws KubeError `server` when it is anything else */
export const objectIn = (body: string, key: ObjectKey, asked: Asked): KubeObject => {
  const value = jsonIn(body, asked);
  if (!isRecord(value) || !isOfKind(value, key.kind) || !isNamed(value, key.name) || !isWhole(value, key.kind))
    throw refused(asked, `answered with something that is not ${showKey(key)}`);
  return value;
};

/** A page of a list. */
export interface ListAnswer<T> {
  /** The list's version, and what the next page is asked for with; empty on the last one. */
  readonly resourceVersion: string;
  readonly next: string;
  readonly items: readonly T[];
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const isItem = (value: unknown, kind: string): boolean => {
  if (!isRecord(value) || !isOfKind(value, kind) || !isWhole(value, kind)) return false;
  const { metadata } = value;
  return isRecord(metadata) && typeof metadata['name'] === 'string';
};

/**
 * A page of a list of `kind`. Its items may be `null`, which some servers say when there are none.
 * @throws KubeError `server` when it is no list, or anything in it is no object of the kind
 */
export const listIn = <T extends KubeObject>(body: string, kind: string, asked: Asked): ListAnswer<T> => {
  const value = jsonIn(body, asked);
  const wrong = (): KubeError => refused(asked, `answered with something that is no list of ${kind}s`);
  if (!isRecord(value) || !isOfKind(value, `${kind}List`)) throw wrong();
  const { metadata, items } = value;
  const isList = items === null || (Array.isArray(items) && items.every((item) => isItem(item, kind)));
  if (!isRecord(metadata) || !isList) throw wrong();
  return { resourceVersion: text(metadata['resourceVersion']), next: text(metadata['continue']), items: items ?? [] };
};

/** The token in the answer to a TokenRequest. @throws KubeError `server` when there is none */
export const tokenIn = (body: string, asked: Asked): string => {
  const value = jsonIn(body, asked);
  const status = isRecord(value) ? value['status'] : undefined;
  const token = isRecord(status) ? text(status['token']) : '';
  if (token === '') throw refused(asked, 'answered without a token');
  return token;
};
