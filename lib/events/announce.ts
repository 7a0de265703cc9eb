/** Tells of transitions, everywhere at once; nobody who tells is held up for long, and none fails for it. */
import { controllerOf, type KubeObject } from '../kube/object.ts';
import type { Announcement, Announcer } from './announcement.ts';
import { type CloudEvent, cloudEvent } from './cloud-event.ts';
import type { EventWriter } from './event-writer.ts';
import type { About } from './kubernetes-event.ts';
import type { Transition } from './transition.ts';

/** Takes events for programs outside. Never rejects. */
export interface EventBus {
  put(event: CloudEvent): Promise<void>;
}

/** Who tells; each may be left out. */
export interface AnnouncePorts {
  readonly writer?: Pick<EventWriter, 'write'> | undefined;
  readonly bus?: EventBus | undefined;
  /** Counts. */
  readonly count?: ((announcement: Announcement) => void) | undefined;
  /** Hears why nobody was told. */
  readonly warn: (what: string, why: unknown) => void;
}

/** The object, and the Image whose Build it is: people look there first. */
const concerned = ({ apiVersion = '', kind = '', metadata = {} }: KubeObject): readonly About[] => {
  const { namespace = '', name = '', uid = '' } = metadata;
  const itself = { apiVersion, kind, namespace, name, uid };
  const owner = kind === 'Build' ? controllerOf({ metadata }) : undefined;
  return owner === undefined
    ? [itself]
    : [itself, { apiVersion: owner.apiVersion, kind: owner.kind, namespace, name: owner.name, uid: owner.uid }];
};

/** How a transition reads where it is told of somebody else. */
const toldOf = (transition: Transition, object: KubeObject, about: About): Transition =>
  about.name === object.metadata?.name && about.kind === object.kind
    ? transition
    : { ...transition, note: `${object.metadata?.name ?? ''}: ${transition.note}` };

/** Tells by whatever `ports` has. */
export const announcer = ({ writer, bus, count, warn }: AnnouncePorts): Announcer => {
  const everywhere = async (announcement: Announcement): Promise<void> => {
    const { kube, cluster, object, transition, now } = announcement;
    await Promise.all([
      ...concerned(object).map((about) => writer?.write(kube, cluster, about, toldOf(transition, object, about), now)),
      object.kind === 'Build' ? bus?.put(cloudEvent(announcement)) : undefined,
    ]);
  };
  return {
    tell: async (announcement) => {
      try {
        await everywhere(announcement);
      } catch (error) {
        warn('a transition could not be told', error);
      }
    },
    happened: (announcement) => count?.(announcement),
  };
};
