/** The first thing a build says: why it runs and what changed since the last one (spec 03 §10.7). */

import { shownText } from '../text/shown-text.ts';
import { blockYaml } from './block-yaml.ts';
import { lineDiff } from './line-diff.ts';

interface Change {
  readonly reason: string;
  readonly old: unknown;
  readonly new: unknown;
}

/** Lines for the log; none for an empty text. A text that is not the JSON we write is told and never fails the build. */
export function buildChangeLines(json: string): readonly string[] {
  if (json.trim() === '') return [];
  let changes: readonly Change[];
  try {
    changes = changesFrom(JSON.parse(json));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [shownText(`error parsing build changes JSON string '${json.slice(0, 500)}': ${why}`)];
  }
  if (changes.length === 0) return [];
  const shown = changes.filter((change) => change.old !== undefined || change.new !== undefined);
  return [`Build reason(s): ${changes.map(({ reason }) => reason).join(',')}`, ...shown.flatMap(changeLines)];
}

function changesFrom(value: unknown): readonly Change[] {
  if (!Array.isArray(value)) throw new TypeError('not a list of changes');
  return value.map((item: unknown) => {
    const change = typeof item === 'object' && item !== null ? (item as Readonly<Record<string, unknown>>) : {};
    return { reason: String(change['reason']), old: change['old'], new: change['new'] };
  });
}

const red = (text: string): string => `\u001b[31m${text}\u001b[0m`;
const green = (text: string): string => `\u001b[32m${text}\u001b[0m`;

function changeLines({ reason, old, new: now }: Change): readonly string[] {
  const diff = lineDiff(textOf(old), textOf(now)).map(({ sign, text }) => {
    if (sign === ' ') return `\t  ${text}`;
    const paint = sign === '-' ? red : green;
    return `\t${paint(sign)} ${paint(text)}`;
  });
  return [`${reason}:`, ...diff];
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  // Sources come as users wrote them, with login and signed query.
  return shownText(typeof value === 'string' ? value : blockYaml(value));
}
