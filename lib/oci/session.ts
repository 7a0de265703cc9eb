/**
 * What may be remembered between calls and passes of one process: tokens, how each registry wants to be spoken to. Nothing here decides
 * anything about content. Make one per process and give it to every `openRegistry`.
 */
import type { Challenge } from './challenge.ts';
import { createTokenCache, type TokenCache } from './token-cache.ts';

export interface Session {
  readonly tokens: TokenCache;
  /** The last challenge of each registry, by host. */
  readonly challenges: Map<string, Challenge>;
  /** Registries that were asked for their challenge, or are being asked, by host. */
  readonly introductions: Map<string, Promise<void>>;
  /** Whether a registry's HEAD tells of what is there, by host; absent while that is not known. */
  readonly headTruth: Map<string, boolean>;
  /** `http:` or `https:` of each registry that may be either, by host. */
  readonly schemes: Map<string, Promise<string>>;
  /** Registries that refused a blob in one piece, by host. */
  readonly wantsChunks: Set<string>;
  readonly now: () => number;
}

/** An empty memory; `now` is Unix time in ms. */
export const createSession = (now: () => number = Date.now): Session => ({
  tokens: createTokenCache(now),
  challenges: new Map(),
  introductions: new Map(),
  headTruth: new Map(),
  schemes: new Map(),
  wantsChunks: new Set(),
  now,
});
