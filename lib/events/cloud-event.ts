/** A transition of a Build for programs outside, as a CloudEvent (CloudEvents 1.0, JSON format). docs/events.md shows one. Pure. */
import { createHash } from 'node:crypto';
import type { Build } from '../api/build.ts';
import { buildNumberLabel, imageLabel, reasonAnnotation } from '../api/labels.ts';
import { conditionOf } from '../reconcile/conditions.ts';
import { printable } from '../text/printable.ts';
import type { Announcement } from './announcement.ts';

/** Attributes as CloudEvents name them. */
export interface CloudEvent {
  readonly specversion: '1.0';
  /** The same for the same transition: who hears of one twice, because a pass ran twice, may drop the second. */
  readonly id: string;
  /** `/clusters/CLUSTER`. */
  readonly source: string;
  /** `io.kpackless.build.succeeded`, … */
  readonly type: string;
  /** `namespaces/NAMESPACE/builds/NAME`. */
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly data: Readonly<Record<string, unknown>>;
}

/** Longest text of `data`: an entry of EventBridge has 256 KB in all. */
const longestText = 2000;

/** What happened to a Build. */
export const cloudEvent = ({ cluster, object, transition, now }: Omit<Announcement, 'kube'>): CloudEvent => {
  const { metadata, spec, status } = object as unknown as Build;
  const { name, namespace = '', uid = '', labels = {}, annotations = {} } = metadata;
  const { reason = '', message = '' } = conditionOf({ status }, 'Succeeded') ?? {};
  const shown = (text: string): string => printable(text, longestText);
  return {
    specversion: '1.0',
    id: createHash('sha256')
      .update(JSON.stringify([cluster, uid, transition.reason, transition.note]))
      .digest('hex')
      .slice(0, 32),
    source: `/clusters/${cluster}`,
    type: `io.kpackless.build.${transition.reason.toLowerCase()}`,
    subject: `namespaces/${namespace}/builds/${name}`,
    time: now.toISOString(),
    datacontenttype: 'application/json',
    data: {
      cluster,
      namespace,
      build: name,
      uid,
      image: labels[imageLabel] ?? '',
      number: labels[buildNumberLabel] ?? '',
      reasons: (annotations[reasonAnnotation] ?? '').split(',').filter((one) => one !== ''),
      tag: spec.tags[0] ?? '',
      latestImage: status?.latestImage ?? '',
      conditionReason: shown(reason),
      message: shown(message),
    },
  };
};
