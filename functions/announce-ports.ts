/** Who hears of what happens to Builds and Images (docs/events.md). */
import type { Build } from '../lib/api/build.ts';
import { countEnded } from '../lib/builds/count-ended.ts';
import { announcer, type EventBus } from '../lib/events/announce.ts';
import type { Announcer } from '../lib/events/announcement.ts';
import { EventWriter } from '../lib/events/event-writer.ts';
import { sayError } from '../lib/reconcile/log.ts';
import type { Ports } from './ports.ts';

/** The bus of the settings; the SDK is loaded by the first event. */
export const eventBus = ({ settings, log }: Ports): EventBus | undefined => {
  const name = settings.KPACKLESS_EVENT_BUS;
  if (name === undefined) return undefined;
  const load = async (): Promise<EventBus> => {
    const [{ EventBridgeClient }, { eventBridgeBus }] = await Promise.all([
      import('@aws-sdk/client-eventbridge'),
      import('../lib/events/event-bridge.ts'),
    ]);
    return eventBridgeBus(new EventBridgeClient({ maxAttempts: 3 }), name, (why) =>
      log('warn', 'an event was not taken by the event bus', { why }),
    );
  };
  let loaded: Promise<EventBus> | undefined;
  return {
    put: async (event) => {
      loaded ??= load();
      await (await loaded).put(event);
    },
  };
};

/** The ports, made once a process. */
export const announcePorts = ({ settings, metrics, log }: Ports, bus?: EventBus): { readonly announcer: Announcer } => {
  const warn = (what: string, why: unknown): void => log('warn', what, { why: sayError(why) });
  return {
    announcer: announcer({
      bus,
      writer: settings.KPACKLESS_KUBERNETES_EVENTS === 'off' ? undefined : new EventWriter({ metrics, warn }),
      count: ({ object }) => {
        if (object.kind === 'Build') countEnded(object as unknown as Build, metrics);
      },
      warn,
    }),
  };
};
