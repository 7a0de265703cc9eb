import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type MetricName, type MetricRow, metricTable, prometheusName } from '../../../lib/metrics/table.ts';

const rows = Object.entries(metricTable) as readonly (readonly [MetricName, MetricRow])[];

describe('docs/metrics.md', () => {
  it('lists every metric with its name in Prometheus, its labels and whether CloudWatch has it', () => {
    const bold = (text: string, isBold: boolean): string => (isBold ? `**${text}**` : text);
    const wanted = rows.map(([name, { labels, dimensions, onCloudWatch, help }]) =>
      [
        '',
        ` \`${prometheusName(name)}\` `,
        ` ${labels.map((label) => bold(`\`${label}\``, dimensions.includes(label))).join(', ')} `,
        ` ${onCloudWatch === 'never' ? '' : bold(`\`${name}\``, onCloudWatch === 'few')} `,
        ` ${help} `,
        '',
      ]
        .join('|')
        .replaceAll('|  |', '| |'),
    );
    const lines = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8').split('\n');
    expect(lines.filter((line) => line.startsWith('| `kpackless_'))).toEqual(wanted);
  });
});

describe('a name of Prometheus', () => {
  it('ends in its unit, and in _total when it only grows', () => {
    expect(prometheusName('ApiWaitMilliseconds')).toBe('kpackless_api_wait_milliseconds_total');
    expect(prometheusName('PassSeconds')).toBe('kpackless_pass_seconds');
    expect(prometheusName('DeadLetters')).toBe('kpackless_dead_letters');
  });
});
