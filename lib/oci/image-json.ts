/**
 * Image config and manifest re-printed as go-containerregistry does: known fields in its order, empty ones left out, unknown ones
 * gone (spec 04 §8.7).
 */
import { type GoJson, goJson, sortedMap } from '../text/go-json.ts';
import { withoutEnd } from '../text/trim-end.ts';

/** A JSON document as parsed; read with the little functions below, as other tools wrote it. */
export type Json = Readonly<Record<string, unknown>>;

type Field = (value: unknown) => GoJson;

const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The member as an object; empty when it is none. */
export const recordIn = (document: Json, key: string): Json => {
  const value = document[key];
  return isRecord(value) ? value : {};
};

/** The member as a list of strings. */
export const textsIn = (document: Json, key: string): readonly string[] => {
  const value = document[key];
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
};

/** The member as a string, empty when it is none. */
export const textIn = (document: Json, key: string): string => {
  const value = document[key];
  return typeof value === 'string' ? value : '';
};

const text: Field = (value) => (typeof value === 'string' && value !== '' ? value : undefined);
const flag: Field = (value) => (value === true ? true : undefined);
const whole: Field = (value) => (typeof value === 'number' && value !== 0 ? value : undefined);
const always =
  (field: Field, zero: GoJson): Field =>
  (value) =>
    field(value) ?? zero;

const listOf =
  (item: Field): Field =>
  (value) =>
    Array.isArray(value) && value.length > 0 ? value.map((one: unknown) => item(one) ?? '') : undefined;
const texts = listOf(always(text, ''));

const mapOf =
  (item: Field): Field =>
  (value) =>
    isRecord(value) && Object.keys(value).length > 0
      ? sortedMap(Object.entries(value).map(([key, one]) => [key, item(one)] as const))
      : undefined;
const textMap = mapOf(always(text, ''));
/** Volumes and ports: the keys are all there is. */
const keySet = mapOf(() => ({}));

const struct =
  (fields: readonly (readonly [string, Field])[]): Field =>
  (value) =>
    isRecord(value) ? new Map(fields.map(([key, field]) => [key, field(value[key])])) : undefined;

const zeroTime = '0001-01-01T00:00:00Z';
/** RFC 3339 with the zeros at the end of its fraction dropped; nanoseconds are the finest. */
const time: Field = (value) =>
  typeof value === 'string'
    ? value
        .replace(/\.(\d{1,9})\d*/, (_, digits: string) => withoutEnd(withoutEnd(`.${digits}`, '0'), '.'))
        .replace(/[+-]00:00$/, 'Z')
    : zeroTime;

const history = struct([
  ['author', text],
  ['created', time],
  ['created_by', text],
  ['comment', text],
  ['empty_layer', flag],
]);

const containerConfig = struct([
  ['AttachStderr', flag],
  ['AttachStdin', flag],
  ['AttachStdout', flag],
  ['Cmd', texts],
  [
    'Healthcheck',
    struct([
      ['Test', texts],
      ['Interval', whole],
      ['Timeout', whole],
      ['StartPeriod', whole],
      ['Retries', whole],
    ]),
  ],
  ['Domainname', text],
  ['Entrypoint', texts],
  ['Env', texts],
  ['Hostname', text],
  ['Image', text],
  ['Labels', textMap],
  ['OnBuild', texts],
  ['OpenStdin', flag],
  ['StdinOnce', flag],
  ['Tty', flag],
  ['User', text],
  ['Volumes', keySet],
  ['WorkingDir', text],
  ['ExposedPorts', keySet],
  ['ArgsEscaped', flag],
  ['NetworkDisabled', flag],
  ['MacAddress', text],
  ['StopSignal', text],
  ['Shell', texts],
]);

const config = struct([
  ['architecture', always(text, '')],
  ['author', text],
  ['container', text],
  ['created', time],
  ['docker_version', text],
  ['history', listOf(history)],
  ['os', always(text, '')],
  [
    'rootfs',
    always(
      struct([
        ['type', always(text, '')],
        ['diff_ids', always(texts, [])],
      ]),
      { type: '', diff_ids: [] },
    ),
  ],
  ['config', always(containerConfig, {})],
  ['os.version', text],
  ['variant', text],
  ['os.features', texts],
]);

const descriptor = struct([
  ['mediaType', always(text, '')],
  ['size', always(whole, 0)],
  ['digest', always(text, '')],
  ['data', text],
  ['urls', texts],
  ['annotations', textMap],
  [
    'platform',
    struct([
      ['architecture', always(text, '')],
      ['os', always(text, '')],
      ['os.version', text],
      ['os.features', texts],
      ['variant', text],
      ['features', texts],
    ]),
  ],
  ['artifactType', text],
]);

const manifest = struct([
  ['schemaVersion', always(whole, 0)],
  ['mediaType', text],
  ['config', always(descriptor, {})],
  ['layers', always(listOf(descriptor), [])],
  ['annotations', textMap],
]);

const encoder = new TextEncoder();

/** The bytes of an image config. */
export const configBytes = (document: Json): Uint8Array => encoder.encode(goJson(config(document)));

/** The bytes of an image manifest; `subject` is dropped, as it speaks of the image this one was made from. */
export const manifestBytes = (document: Json): Uint8Array => encoder.encode(goJson(manifest(document)));
