/** What is wrong with what somebody set, a line each: the name, what was found there, and what is allowed. */
import * as v from 'valibot';

/** A value may be long, and is somebody's: so much of it is quoted. */
const mostQuoted = 60;

const found = (value: unknown): string => {
  if (value === undefined) return 'is missing';
  const text = JSON.stringify(value);
  return `is ${text.length > mostQuoted ? `${text.slice(0, mostQuoted)}…` : text}`;
};

/** One line for each issue. Settings hold no secrets: those are in Secrets and parameters, and only named here. */
export const mistakes = (issues: readonly v.BaseIssue<unknown>[], given: unknown): readonly string[] =>
  issues.map((issue) => {
    const path = v.getDotPath(issue) ?? '?';
    const [name = ''] = path.split('.');
    const value = (given as Readonly<Record<string, unknown>>)[name];
    // valibot's own words for what is not there are about types.
    const allowed = issue.message.startsWith('Invalid ') ? 'it must be given' : issue.message;
    return `${name} ${found(value)}: ${allowed}`;
  });
