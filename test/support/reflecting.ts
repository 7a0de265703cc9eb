/** A reflector on a watch server of its own, and what it did, in order, for tests. */
import { type ReflectorPorts, runReflector } from '../../lib/kube/reflector.ts';
import { sleep } from '../../lib/kube/sleep.ts';
import type { WatchedObject } from '../../lib/kube/watch-events.ts';
import { usualTimes, type WatchTimes } from '../../lib/kube/watch-times.ts';
import { type WatchServer, watchServer } from './watch-server.ts';

/** Watches that last so many times shorter; for the rest a clock that runs faster does. */
export const shorter = (times: number): WatchTimes => ({
  ...usualTimes,
  trustedSeconds: usualTimes.trustedSeconds / times,
  suspectedSeconds: usualTimes.suspectedSeconds / times,
  graceSeconds: usualTimes.graceSeconds / times,
});

const names = (objects: readonly WatchedObject[]): string =>
  objects.map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`).join();

/** Starts it; dispose of it. */
export const reflecting = async (
  ports: Partial<ReflectorPorts> = {},
  prepare: (server: WatchServer) => void = () => undefined,
) => {
  const server = await watchServer();
  prepare(server);
  const stop = new AbortController();
  const did: string[] = [];
  let isReady = false;
  const running = runReflector(
    'Image',
    undefined,
    {
      transport: server.transport,
      listed: async ({ objects }) => void did.push(`listed ${names(objects)}`),
      changed: async (changes) => void did.push(`changed ${names(changes.map(({ object }) => object))}`),
      received: () => undefined,
      missed: () => void did.push('missed'),
      loadCheckpoint: async () => undefined,
      saveCheckpoint: async (version) => void did.push(`saved ${version}`),
      wentBack: async () => void did.push('went back'),
      ready: (ready) => {
        isReady = ready;
      },
      warn: () => undefined,
      timesBack: () => 0,
      pause: sleep,
      clock: () => new Date(),
      random: () => 0,
      ...ports,
    },
    stop.signal,
  );
  return {
    server,
    did,
    isReady: () => isReady,
    /** Tells it to end, and resolves when it has. */
    end: (): Promise<void> => {
      stop.abort();
      return running;
    },
    [Symbol.asyncDispose]: async (): Promise<void> => {
      stop.abort();
      await running;
      await server[Symbol.asyncDispose]();
    },
  };
};
