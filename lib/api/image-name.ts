/**
 * Fields that hold an image's name, with kpack's grammar as a rule of the API server (spec 01 §7.3; go-containerregistry's weak validation). It is
 * wider than what a registry takes: lib/oci/reference.ts refuses the rest when the name is used, and a condition says so.
 */
import * as v from 'valibot';
import { celText, invalidValue, notEmpty, type Rule, ruled } from './rule.ts';

/** Host, port, path, tag and digest at their longest have some 750 characters. */
export const longestImageName = 1024;

/** The first part is a registry when it has a dot or a colon; everything else is a path on Docker Hub. */
const namesRegistry = '^[^/]*[.:][^/]*/';

// What the API server counts as the cost of a rule grows with the length of its expressions: they are as short as they can be.

/** What a URL does not take in its host. */
const noHost = '[:cntrl:] %/?#@^{|}\\x60\\\\';
/** With a colon, digits follow the last one; without, anything goes. */
const host = `(?:[^${noHost}]*:[0-9]*|[^:${noHost}]*)`;
const address = '\\[[0-9A-Za-z:.]*\\](?::[0-9]*)?';
const path = '[a-z0-9_./-]';
const tag = '(?::[\\w.-]{1,128})?';
const digest = '(?:@sha256:[0-9a-f]{64})?';

/** CEL: whether `text` fits the grammar, where `end` is what may follow the path. */
const fits = (text: string, end: string): string => {
  const matches = (pattern: string): string => `${text}.matches(${celText(pattern)})`;
  const inRegistry = (place: string): string => matches(`^${place}/${path}{2,255}${end}$`);
  return [
    `(!${matches(namesRegistry)} ? ${matches('^[^:@]{2,255}(?:[:@]|$)')} && ${matches(`^${path}+${end}$`)}`,
    ` : ${text}.startsWith('[') ? ${inRegistry(address)} : ${inRegistry(host)})`,
  ].join('');
};

/** CEL: whether `text` may be pushed to, which a name by digest may not. */
export const isTagIn = (text: string): string => fits(text, tag);

/** CEL: the registry that `text`, a tag, is in. */
export const registryIn = (text: string): string =>
  `(${text}.matches(${celText(namesRegistry)}) && !${text}.startsWith('docker.io/') ? ${text}.substring(0, ${text}.indexOf('/')) : 'index.docker.io')`;

const right = {
  tag: 'must be a tag such as registry.example/team/app:1.0: no https://, no digest, a lower-case path of 2 to 255 characters',
  reference:
    'must be an image such as registry.example/team/app:1.0 or registry.example/team/app@sha256:…: no https://, a lower-case path of 2 to 255 characters',
};

const grammar = (end: string, says: string): Rule => ({ rule: fits('self', end), ...invalidValue('self', says) });
const tagGrammar = grammar(tag, right.tag);
const referenceGrammar = grammar(`${tag}${digest}`, right.reference);

const unlessEmpty = ({ rule, ...says }: Rule): Rule => ({ rule: `self == '' || ${rule}`, ...says });

const imageName = (description: string, ...rules: readonly Rule[]) =>
  ruled(v.pipe(v.string(), v.maxLength(longestImageName), v.description(description)), ...rules);

/** The name of an image that is pushed; more rules may follow its grammar. `field` is its path, for the message. */
export const tagName = (field: string, description: string, ...more: readonly Rule[]) =>
  imageName(description, notEmpty(field), unlessEmpty(tagGrammar), ...more);

/** One of a list of names of images that are pushed; the API server says which. */
export const listedTagName = (description: string) => imageName(description, tagGrammar);

/** The name of an image that is read, by tag or digest. */
export const imageReference = (field: string, description: string) =>
  imageName(description, notEmpty(field), unlessEmpty(referenceGrammar));

/** One of a list of names of images that are read; the API server says which. */
export const listedImageReference = (description: string) => imageName(description, referenceGrammar);

/** As {@link imageReference}, where empty means none. */
export const optionalImageReference = (description: string) => imageName(description, unlessEmpty(referenceGrammar));
