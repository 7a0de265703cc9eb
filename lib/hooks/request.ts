/** A push hook as it comes in, and what is answered: whatever carried it over HTTP. */

/** Longest body that is read, in bytes. */
export const maxHookBytes = 1024 * 1024;

/** One request. */
export interface HookRequest {
  readonly method: string;
  /** Names in lower case; repeated ones joined by commas. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The bytes that were signed. */
  readonly body: Buffer;
}

/** One answer; the body is JSON for the provider's log of deliveries. */
export interface HookAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, string | number>>;
}

/** Who sends. A host that is none of the named ones, or a script, is `generic`. */
export type Provider = 'bitbucket' | 'generic' | 'gitea' | 'github' | 'gitlab';

/** Recognised by the header that names the event. Gitea and Forgejo send GitHub's headers too, so theirs are looked for first. */
export const providerOf = ({ headers }: Pick<HookRequest, 'headers'>): Provider => {
  if (headers['x-gitea-event'] !== undefined || headers['x-forgejo-event'] !== undefined) return 'gitea';
  if (headers['x-gitlab-event'] !== undefined) return 'gitlab';
  if (headers['x-event-key'] !== undefined) return 'bitbucket';
  return headers['x-github-event'] === undefined ? 'generic' : 'github';
};
