/** Reads `infra/settings/STAGE.yml`. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { parse, YAMLParseError } from 'yaml';
import { mistakes } from '../../functions/mistakes.ts';
import { PermanentError } from '../../lib/errors/expected.ts';
import { nearestTo } from '../command-line/nearest.ts';
import { type StageSettings, stageSettingNames, stageSettings } from './schema.ts';

/** Where the files are. */
export const settingsFolder = import.meta.dirname;

const refused = (why: string): PermanentError => new PermanentError('Settings', why);

/** What a text says. @throws PermanentError that names all that is wrong, a line each */
export const stageSettingsIn = (text: string, file: string): StageSettings => {
  let said: unknown;
  try {
    said = parse(text);
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    throw refused(`${file} is no YAML: ${error.message.split('\n')[0] ?? ''}`);
  }
  if (typeof said !== 'object' || said === null || Array.isArray(said))
    throw refused(`${file} says nothing: begin with infra/settings/example.yml`);
  const unknown = Object.keys(said).filter((name) => !stageSettingNames.includes(name));
  const parsed = v.safeParse(stageSettings, said);
  if (parsed.success) return parsed.output;
  const lines = [
    ...unknown.map((name) => {
      const meant = nearestTo(name, stageSettingNames);
      return `${name} is no setting${meant === undefined ? ': infra/settings/example.yml has them' : `: did you mean ${meant}?`}`;
    }),
    ...mistakes(
      parsed.issues.filter((issue) => !unknown.includes((v.getDotPath(issue) ?? '').split('.')[0] ?? '')),
      said,
    ),
  ];
  throw refused(`${file} is wrong:\n  ${lines.join('\n  ')}`);
};

/** What a stage's file says. @throws PermanentError when there is none, or with all that is wrong in it */
export const readStage = (stage: string, folder = settingsFolder): StageSettings => {
  if (!/^[a-z](?:[a-z0-9]|-(?=[a-z0-9])){0,11}$/.test(stage))
    throw refused(`--stage ${stage} is no name of a stage: at most 12 small letters, digits and dashes`);
  const file = join(folder, `${stage}.yml`);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const there = readdirSync(folder).filter((name) => name.endsWith('.yml'));
    const meant = nearestTo(
      stage,
      there.map((name) => name.slice(0, -'.yml'.length)),
    );
    const advice = meant === undefined ? 'copy infra/settings/example.yml' : `did you mean ${meant}?`;
    const missing = `infra/settings/${stage}.yml cannot be read: ${advice} (there are ${there.join(', ')})`;
    throw new PermanentError('Settings', missing, { cause });
  }
  return stageSettingsIn(text, `infra/settings/${stage}.yml`);
};
