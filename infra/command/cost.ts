/** `kpackless cost`: what an installation costs a month by list prices, beside kpack's controllers in each cluster. */
import { type Command, Option } from 'commander';
import {
  beside,
  type Fleet,
  fixedParts,
  freeOf,
  goals,
  type Part,
  totalOf,
  variableParts,
} from '../../lib/cost/model.ts';
import { freeTier, listPrices, pricesOf } from '../../lib/cost/prices.ts';
import { columns } from './columns.ts';
import { callOf, type Registrar } from './context.ts';
import { numberIn } from './number-option.ts';

const dollars = (amount: number): string => `${amount.toFixed(2)} US$`;
const rows = (parts: readonly Part[]): readonly (readonly string[])[] =>
  parts.map(({ what, count, cost }) => [`  ${what}`, count.toLocaleString('en'), dollars(cost)]);

interface CostOptions extends Omit<Fleet, 'repositories'> {
  readonly repositories?: number;
  readonly metrics: 'few' | 'all';
}

/** Adds it. */
export const addCost = (program: Command, registrar: Registrar): void => {
  program
    .command('cost')
    .option('--images <number>', 'Images', numberIn, 1000)
    .option('--builds-per-day <number>', 'Builds of each Image a day', numberIn, 1)
    .option('--clusters <number>', 'clusters', numberIn, 1)
    .option('--repositories <number>', 'different repositories that are polled; as many as Images without', numberIn)
    .option('--poll-seconds <number>', 'seconds between two looks at a repository; 0 for never', numberIn, 300)
    .option('--kept-builds <number>', 'Builds of each Image that are kept', numberIn, 1)
    .addOption(
      new Option('--metrics <how many>', 'metrics that CloudWatch is sent').choices(['few', 'all']).default('few'),
    )
    .description('what it costs a month by list prices, and what kpack in each cluster does')
    .addHelpText(
      'after',
      `
Counts of calls are measured by the tests (lib/cost/counts.ts); prices are those of us-east-1. Network and build pods are not in it. Nothing is asked of AWS.

Examples:
  $ kpackless cost --images 10000 --builds-per-day 3 --clusters 20 --repositories 8000
  $ kpackless cost --images 1000 --builds-per-day 0 --repositories 100 --poll-seconds 3600 --output json`,
    )
    .action((options: CostOptions, command: Command) => {
      const call = callOf(registrar, command);
      const { metrics, ...asked } = options;
      const fleet: Fleet = { ...asked, repositories: options.repositories ?? options.images };
      const [variable, fixed] = [variableParts(fleet, listPrices), fixedParts(listPrices, metrics)];
      const sum = totalOf(variable) + totalOf(fixed);
      const free = freeOf(freeTier, listPrices);
      const others = beside(fleet.clusters, listPrices);
      const reached = goals(listPrices, fleet.pollSeconds === 0 ? 300 : fleet.pollSeconds);
      call.output.answer({
        lines: [
          `Prices of ${pricesOf}, us-east-1, a month; never compared with a bill.`,
          '',
          ...columns([
            ['Work', 'TIMES', 'COST'],
            ...rows(variable),
            ['Fixed', '', ''],
            ...rows(fixed),
            ['Together', '', dollars(sum)],
            ['  the free tier takes off up to', '', dollars(free)],
          ]),
          '',
          ...columns([
            ['Pods', 'A MONTH'],
            [`  relays, one in each of ${fleet.clusters} clusters on Fargate`, dollars(others.relayInEachCluster)],
            ['  or one relay for all of them', dollars(others.oneRelayForAll)],
            [`  kpack: controller and webhook in each cluster on Fargate`, dollars(others.kpackControllers)],
          ]),
          '',
          ...columns([
            ['Goals', 'AT MOST', 'IS', ''],
            ...reached.map(({ what, most, is, isReached }) => [
              `  ${what}`,
              dollars(most),
              dollars(is),
              isReached ? 'reached' : 'NOT REACHED',
            ]),
          ]),
        ],
        json: {
          pricesOf,
          currency: 'USD',
          fleet,
          variable,
          fixed,
          total: sum,
          freeTier: free,
          beside: others,
          goals: reached,
        },
      });
    });
};
