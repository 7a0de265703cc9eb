import { expect, it } from 'vitest';
import { countOne } from '../../../lib/queue/count.ts';

it('a counted log line is what CloudWatch reads as a metric', () => {
  const line = JSON.parse(
    JSON.stringify({ what: 'dropped', ...countOne('UnreadableMessages', new Date(7)) }),
  ) as unknown;
  expect(line).toStrictEqual({
    what: 'dropped',
    UnreadableMessages: 1,
    _aws: {
      Timestamp: 7,
      CloudWatchMetrics: [
        { Namespace: 'kpackless', Dimensions: [[]], Metrics: [{ Name: 'UnreadableMessages', Unit: 'Count' }] },
      ],
    },
  });
});
