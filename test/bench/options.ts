/** What `npm run bench` understands. */
import { type Given, readCommandLine } from '../../infra/command-line/read.ts';
import { PermanentError } from '../../lib/errors/expected.ts';

/** Groups of measures, in the order in which they run. */
export const groups = [
  'bundles',
  'invoke',
  'prepare',
  'fan-out',
  'latency',
  'idle',
  'stack',
  'builders',
  'outage',
  'rebase',
  'layer',
  'relay',
  'memory',
  'linear',
  'fair',
  'sweep',
  'kpack',
] as const;
export type Group = (typeof groups)[number];

/** What takes minutes of its own, or needs what is not here, runs only when it is named. */
const named: ReadonlySet<Group> = new Set(['linear', 'fair', 'sweep', 'kpack']);

/** The command line, checked. */
export interface BenchOptions {
  readonly only: ReadonlySet<Group>;
  /** Images of the fan-out and of the stack change. */
  readonly images: number;
  /** Images of one namespace beside which those of others are measured. */
  readonly many: number;
  /** Images that are watched when memory is measured. */
  readonly watched: number;
  /** Times that the API server goes away for each of 5, 10 and 15 s. */
  readonly rounds: number;
  readonly json: boolean;
  /** Exit code 1 when a goal is missed. */
  readonly strict: boolean;
  readonly help: boolean;
}

/** How it is used. */
export const usage = `npm run bench [-- options]

Measures kpackless on this machine, on an API server and registries of its own, next to the goals of the design.

  --only NAMES    only these groups, comma-separated: ${groups.join(', ')};
                  linear (300, 1,000 and 3,000 Images at once, minutes), fair (minutes), sweep (50,000 due at once, a minute) and kpack
                  run only when they are named here, kpack also when KPACK_CONTROLLER and KPACK_CONFIG name its built controller and the folder of its manifests
  --images N      Images of the fan-out and of the stack change (300)
  --many N        Images of one namespace beside which single ones of others are measured (2000)
  --watched N     Images that are watched when memory is measured (10000)
  --rounds N      times that the API server goes away for 5, 10 and 15 s (1)
  --output json   one JSON document instead of the table
  --strict        exit with 1 when a goal is missed
  --help          this text
`;

const invalid = (message: string): PermanentError =>
  new PermanentError('Usage', `${message}; see npm run bench -- --help`);

const count = (name: string, text: string): number => {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw invalid(`--${name} needs a number from 1 to 999999, not ${text}`);
  return Number(text);
};

const isGroup = (name: string): name is Group => groups.some((group) => group === name);

/** Reads the arguments. `hasKpack` says that a built controller of kpack is there. @throws PermanentError with one sentence */
export const benchOptions = (given: Given, hasKpack: boolean): BenchOptions => {
  const usual = groups.filter((group) => !named.has(group) || (group === 'kpack' && hasKpack));
  const { values } = readCommandLine(
    {
      name: 'npm run bench',
      options: {
        only: { type: 'string', default: usual.join(',') },
        rounds: { type: 'string', default: '1' },
        images: { type: 'string', default: '300' },
        many: { type: 'string', default: '2000' },
        watched: { type: 'string', default: '10000' },
        output: { type: 'string', default: 'table' },
        strict: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    },
    given,
  );
  if (values.output !== 'json' && values.output !== 'table') throw invalid('--output is json or table');
  const names = values.only.split(',').filter((name) => name !== '');
  const wrong = names.find((name) => !isGroup(name));
  if (wrong !== undefined) throw invalid(`--only knows no ${wrong}: give some of ${groups.join(', ')}`);
  return {
    only: new Set(names.filter(isGroup)),
    images: count('images', values.images),
    many: count('many', values.many),
    watched: count('watched', values.watched),
    rounds: count('rounds', values.rounds),
    json: values.output === 'json',
    strict: values.strict,
    help: values.help,
  };
};
