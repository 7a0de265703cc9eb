/**
 * Tags that a rule of their registry keeps where they are. The distribution specification has no code for it: each registry refuses the PUT of
 * a manifest in words of its own (ECR: 400 TAG_INVALID; Harbor: 412 PRECONDITION; others 403 or 409). Pure.
 */
import type { OciError } from './errors.ts';

/** Parts of sentences by which registries say it, in lower case. */
const words: readonly string[] = [
  'immutab',
  'does not let it be moved',
  'cannot be overwritten',
  'cannot overwrite',
  'can not be overwritten',
  'can not overwrite',
  'overwrite artifact',
  'overwriting is not',
  'republishing) is disabled',
  'not allow updating',
  'not allow overwriting',
  'cannot update tag',
  'operation is disallowed',
  'tag is locked',
  'tag already exists',
];

/** The text without names of images and addresses: a repository may be called `immutable-apps`. */
const withoutNames = (text: string): string =>
  text
    .replaceAll(/'[^']{0,300}'|"[^"]{0,300}"/gu, ' ')
    .split(' ')
    .filter((word) => !(word.includes('/') && /[.:@]/u.test(word)))
    .join(' ');

/** Whether a text is what a registry says of a tag that may not be moved. */
export const saysImmutable = (text: string): boolean => {
  const said = withoutNames(text.toLowerCase());
  return words.some((word) => said.includes(word));
};

/** Whether a refused PUT may be the doing of such a rule: then the tag is to be looked at. */
export const mayBeImmutable = ({ code }: OciError): boolean => code === 'rejected' || code === 'denied';

/** Whether the refusal of a PUT to a tag that holds another image is the doing of such a rule. */
export const isImmutable = ({ status, errors }: OciError): boolean =>
  status === 412 || errors.some(({ code, message }) => code === 'TAG_INVALID' || saysImmutable(message));
