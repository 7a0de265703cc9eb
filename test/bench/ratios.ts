/** kpackless beside kpack's own controller, from figures of one run: pure, so that goals are judged by a test too (DESIGN §6). */
import { atLeast, atMost, type Row, round } from './row.ts';

/** What is measured of each controller, in the same way. Times are milliseconds, CPU is milliseconds per Image. */
export interface PeerFigures {
  readonly imagesPerSecond: number;
  readonly p50: number;
  readonly max: number;
  readonly cpu: number;
  readonly serverCpu: number;
  readonly writes: number;
  readonly reads: number;
  readonly idleMb: number;
  readonly afterMb: number;
}

/** Controllers by name, in the order of columns. */
export interface Peers {
  readonly ours: PeerFigures;
  readonly kpack: PeerFigures;
  readonly tuned: PeerFigures;
}

const beside = ({ ours, kpack, tuned }: Peers, of: (figures: PeerFigures) => string): string =>
  `${of(ours)}; kpack ${of(kpack)}; tuned ${of(tuned)}`;

const ratio = (
  measure: string,
  peers: Peers,
  of: (figures: PeerFigures) => string,
  value: number,
  judged: Pick<Row, 'goal' | 'reached'> = {},
): Row => ({
  measure,
  measured: `${Math.round(value * 100) / 100}× (${beside(peers, of)})`,
  ratio: true,
  ...judged,
  figures: { ratio: value },
});

/** The ratios, with their goals where the design has one. */
export const ratioRows = (peers: Peers): readonly Row[] => {
  const { ours, kpack, tuned } = peers;
  const rate = ({ imagesPerSecond }: PeerFigures): string => `${round(imagesPerSecond)}/s`;
  const toTuned = ours.imagesPerSecond / tuned.imagesPerSecond;
  const toDefault = ours.imagesPerSecond / kpack.imagesPerSecond;
  const latency = ours.p50 / kpack.p50;
  const cpu = ours.cpu / tuned.cpu;
  const serverCpu = ours.serverCpu / tuned.serverCpu;
  return [
    ratio('Images at once, of kpack SCALING_FACTOR=20', peers, rate, toTuned, atLeast(1.5, '×', toTuned)),
    ratio('Images at once, of kpack default', peers, rate, toDefault, atLeast(8, '×', toDefault)),
    ratio(
      'one at a time → pod, p50, of kpack default',
      peers,
      ({ p50, max }) => `${Math.round(p50)} ms, max ${Math.round(max)}`,
      latency,
      atMost(0.8, '×', latency),
    ),
    ratio('CPU per Image, of kpack tuned', peers, (one) => `${round(one.cpu)} ms`, cpu, atMost(1, '×', cpu)),
    ratio(
      'API server and etcd CPU per Image, of kpack tuned',
      peers,
      (one) => `${round(one.serverCpu)} ms`,
      serverCpu,
      atMost(0.67, '×', serverCpu),
    ),
    ratio(
      'writes per Image, of kpack tuned',
      peers,
      ({ writes, reads }) => `${round(writes)} writes ${round(reads)} reads`,
      ours.writes / tuned.writes,
    ),
    ratio(
      'memory after, of kpack tuned',
      peers,
      ({ idleMb, afterMb }) => `${Math.round(idleMb)} → ${Math.round(afterMb)} MB`,
      ours.afterMb / tuned.afterMb,
    ),
  ];
};

/** How the rate holds as there are more Images at once: the slowest against the fastest. */
export const linearRow = (rates: readonly { readonly images: number; readonly perSecond: number }[]): Row => {
  const speeds = rates.map(({ perSecond }) => perSecond);
  const evenness = Math.min(...speeds) / Math.max(...speeds);
  return {
    measure: `${rates.map(({ images }) => images.toLocaleString('en')).join(', ')} Images at once: slowest of fastest`,
    measured: `${Math.round(100 * evenness)}% (${rates.map(({ perSecond }) => round(perSecond)).join(', ')}/s)`,
    ratio: true,
    ...atLeast(0.85, '×', evenness),
    figures: { evenness, ...Object.fromEntries(rates.map(({ images, perSecond }) => [`at${images}`, perSecond])) },
  };
};
