/** What `npm run chaos` understands. */
import { type Given, readCommandLine } from '../../infra/command-line/read.ts';
import { PermanentError } from '../../lib/errors/expected.ts';
import { type Adapter, adapters } from './installation/installation.ts';

/** The command line, checked. */
export interface CommandOptions {
  readonly seed: number;
  /** Seeds from `seed` on. */
  readonly seeds: number;
  readonly faults: number;
  readonly images: number;
  readonly adapters: readonly Adapter[];
  readonly day: boolean;
  readonly told: RegExp | undefined;
  readonly json: boolean;
  readonly help: boolean;
}

/** How it is used. */
export const usage = `npm run chaos [-- options]

Runs kpackless in made time beside an API server, a registry and a git host in memory, lets users act and faults happen by a seed, and says what
did not hold. The same seed is the same run. A seed that fails is made smaller and printed as a trace.

  --seed N          the first seed (1)
  --seeds N         so many seeds in a row (1)
  --faults N        faults of each (1000)
  --images N        Images, in three namespaces (12)
  --adapter NAME    sqlite (standalone mode) or aws (functions, SQS); both without
  --day             goes on for a day after all is quiet, and looks for what is left then
  --told PATTERN    a regular expression: the trace tells of all calls with such a name
  --output json     one JSON document for each run, a line each
  --help            this text

It exits with 1 when something did not hold.
`;

const invalid = (message: string): PermanentError =>
  new PermanentError('Usage', `${message}; see npm run chaos -- --help`);

const count = (name: string, text: string): number => {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw invalid(`--${name} needs a number from 1 to 999999999, not ${text}`);
  return Number(text);
};

const pattern = (text: string): RegExp => {
  try {
    return new RegExp(text);
  } catch (cause) {
    throw invalid(`--told is no regular expression (${cause instanceof Error ? cause.message : 'unknown'})`);
  }
};

/** Reads the arguments. @throws PermanentError with one sentence */
export const commandOptions = (given: Given): CommandOptions => {
  const { values } = readCommandLine(
    {
      name: 'npm run chaos',
      options: {
        seed: { type: 'string', default: '1' },
        seeds: { type: 'string', default: '1' },
        faults: { type: 'string', default: '1000' },
        images: { type: 'string', default: '12' },
        adapter: { type: 'string' },
        day: { type: 'boolean', default: false },
        told: { type: 'string' },
        output: { type: 'string', default: 'text' },
        help: { type: 'boolean', default: false },
      },
    },
    given,
  );
  const { adapter, output, told } = values;
  const chosen = adapter === undefined ? adapters : adapters.filter((name) => name === adapter);
  if (chosen.length === 0) throw invalid(`--adapter knows ${adapters.join(' and ')}, not ${adapter ?? ''}`);
  if (output !== 'text' && output !== 'json') throw invalid(`--output knows text and json, not ${output}`);
  return {
    seed: count('seed', values.seed),
    seeds: count('seeds', values.seeds),
    faults: count('faults', values.faults),
    images: count('images', values.images),
    adapters: chosen,
    day: values.day,
    told: told === undefined ? undefined : pattern(told),
    json: output === 'json',
    help: values.help,
  };
};
