/** A SourceResolver follows a source to its newest revision (spec 02 §8, DESIGN §3.17): git by asking the host, the others by copying. */
import type { GitSource, ResolvedSourceConfig } from '../api/source-config.ts';
import type { SourceResolver } from '../api/source-resolver.ts';
import { PermanentError } from '../errors/expected.ts';
import type { GitCredential } from '../git/credentials.ts';
import type { CredentialOf } from '../git/hop.ts';
import { placeDigest } from '../git/place.ts';
import { isObjectId } from '../git/refs.ts';
import { type GitUrl, parseGitUrl } from '../git/url.ts';
import { isTrue } from '../reconcile/conditions.ts';
import { again, settled } from '../reconcile/outcome.ts';
import type { Pass, Reconciler } from '../reconcile/reconciler.ts';
import type { Dependency, TargetKey, Tenant } from '../state/keys.ts';
import type { PollPages } from '../state/poll-pages.ts';
import type { PollEntry, PollRow, Polls } from '../state/polls.ts';
import { accountCredentials } from './account-credential.ts';
import { type AskHostPorts, askHost } from './ask-host.ts';
import { blobUrlAt, type FollowPorts, followBlob, followImage } from './follow-source.ts';
import type { Followed } from './followed-version.ts';
import { showSeen } from './git-poll.ts';
import { askedSeconds } from './poll-interval.ts';
import { type NotServed, notHeard, notPolled } from './poll-quota.ts';
import { canMove, gitPollFor, nextPollAt, type PollSettings, paceWithHooks, revisionOf } from './polling.ts';
import { sourceReasons } from './reasons.ts';
import { isAnsweredByMaker, makersSeconds, resolvedAlone } from './resolve-alone.ts';
import { resolvedBlob } from './resolve-blob.ts';
import { RevisionNotFoundError, resolvedGit } from './resolve-git.ts';
import { resolvedRegistry } from './resolve-registry.ts';
import { isRefName, type ResolvedRevision, refNamesFor, refTable, resolveRevision } from './revision.ts';
import { sharedAnswer } from './shared-answer.ts';
import { failedStatus, resolvedStatus } from './status.ts';

/** What the reconciler needs beside its pass. */
export interface SourcePorts extends AskHostPorts, FollowPorts {
  readonly polls: Pick<Polls, 'entry' | 'read' | 'watch'>;
  readonly pages: Pick<PollPages, 'askedAt'>;
  readonly settings: PollSettings;
}

/** One git source in one pass. */
interface GitQuestion {
  readonly source: GitSource;
  readonly url: GitUrl;
  readonly credential: GitCredential | undefined;
  /** For hosts that the URL's host redirects to. */
  readonly credentialOf: CredentialOf;
  /** Undefined for a full commit id, which cannot move. */
  readonly poll: TargetKey | undefined;
  readonly pace: PollSettings;
  /** The source asks for that pace itself. */
  readonly isAsked: boolean;
  readonly tenant: Tenant;
}

const accountOf = ({ metadata, spec }: SourceResolver): readonly Dependency[] => {
  const { serviceAccount = '' } = spec;
  if (serviceAccount === '') return [];
  return [{ kind: 'ServiceAccount', namespace: metadata.namespace ?? '', name: serviceAccount }];
};

/** Edges before reads: the account is declared, then read; the poll it leads to is declared, then read. */
const questionFor = async (
  resolver: SourceResolver,
  source: GitSource,
  { settings }: SourcePorts,
  pass: Pass,
): Promise<GitQuestion> => {
  const url = parseGitUrl(source.url);
  if (!isRefName(source.revision)) throw new RevisionNotFoundError(url, source.revision);
  const { namespace = '', name } = resolver.metadata;
  const tenant = { cluster: pass.cluster, namespace };
  const account = accountOf(resolver);
  const intervalSeconds = askedSeconds(resolver.metadata.annotations);
  const isAsked = intervalSeconds !== undefined;
  const pace = isAsked ? { intervalSeconds } : settings;
  await pass.dependOn(account);
  const credentialOf = accountCredentials(pass.kube, namespace, resolver.spec.serviceAccount);
  const credential = await credentialOf(url);
  if (isObjectId(source.revision.toLowerCase()))
    return { source, url, credential, credentialOf, poll: undefined, pace, isAsked, tenant };
  const poll = gitPollFor(url, { namespace, name, secretName: credential?.secretName, intervalSeconds });
  await pass.dependOn([...account, revisionOf(poll, source.revision)]);
  return { source, url, credential, credentialOf, poll: { cluster: pass.cluster, ...poll }, pace, isAsked, tenant };
};

/** Text by which the next pass knows that the poll counts on us already. */
const followedAs = (poll: TargetKey, revision: string): string => revisionOf(poll, revision).name;

/** What the shared poll of a question knows; nothing when it is not there. */
interface Shared {
  readonly row: PollRow | undefined;
  readonly entry: PollEntry | undefined;
}

const sharedBy = async ({ polls }: SourcePorts, { source, poll }: GitQuestion): Promise<Shared> => {
  if (poll === undefined) return { row: undefined, entry: undefined };
  const [row, entry] = await Promise.all([polls.read(poll), polls.entry(poll, source.revision)]);
  return { row, entry: row === undefined ? undefined : entry };
};

/**
 * Tells the poll what we saw, unless it knows. A new follower always tells: the poll may have looked for followers just before our
 * edge was there, and its row may be going away. Gives why the poll cannot serve us, if so.
 */
const follow = async (
  { polls }: SourcePorts,
  { source: { revision }, url, credential, poll, pace, tenant }: GitQuestion,
  { row, entry }: Shared,
  found: ResolvedRevision | undefined,
  pass: Pass,
): Promise<NotServed | undefined> => {
  if (poll === undefined) return undefined;
  const seen = showSeen(found);
  const isOld = pass.memory === followedAs(poll, revision) && row?.secretName === credential?.secretName;
  const isKnown = entry?.seen.includes(seen) === true || entry?.found === seen;
  let isUnheard = row?.isUnheard === true;
  if (!isOld || !isKnown) {
    const dueAt = nextPollAt(poll, pace, Math.floor(pass.now.getTime() / 1000));
    const place = placeDigest(url);
    const isNew = entry === undefined;
    const watching = await polls.watch(poll, {
      revision,
      isNew,
      seen,
      secretName: credential?.secretName,
      place,
      dueAt,
    });
    if (watching === 'full') return notPolled(url, tenant);
    isUnheard = watching === 'unheard';
  }
  pass.remember(followedAs(poll, revision));
  return isUnheard ? notHeard(url, tenant) : undefined;
};

/** The row, as of the last round of the page with which its poll is due; undefined when it is due by itself. */
const withPage = async (
  { pages }: SourcePorts,
  poll: TargetKey | undefined,
  row: PollRow | undefined,
): Promise<PollRow | undefined> => {
  if (poll === undefined || row?.page === undefined || row.isDueAlone) return undefined;
  const askedAt = await pages.askedAt({ ...poll, namespace: '', name: row.page });
  return { ...row, askedAt: Math.max(askedAt ?? 0, row.askedAt ?? 0) };
};

/** How long the listing that a hook asked for answers followers that are never polled: no other comes soon. */
const HOOKED_SECONDS = 3600;

/** Where the revision is now, from the shared poll or from the host itself. */
const look = async (
  ports: SourcePorts,
  { source, url, credential, credentialOf, poll, pace, isAsked, tenant }: GitQuestion,
  { row, entry }: Shared,
  stored: ResolvedRevision | undefined,
  pass: Pass,
): Promise<ResolvedRevision | undefined> => {
  const { now, reasons } = pass;
  const isOff = pace.intervalSeconds === 0;
  const hooked = { isAsked, hookedAt: row?.hookedAt, now: Math.floor(now.getTime() / 1000) };
  const intervalSeconds = isOff ? HOOKED_SECONDS : paceWithHooks(pace, hooked).intervalSeconds;
  const asked = { reasons, now, intervalSeconds };
  const shared =
    isOff && !reasons.has('dependency')
      ? undefined
      : (sharedAnswer(row, entry, asked) ?? sharedAnswer(await withPage(ports, poll, row), entry, asked));
  if (shared !== undefined) return shared.found;
  // Never polled means that nothing but a hook or an edit of the spec moves it, whatever else wakes us.
  if (isOff && stored !== undefined && !pass.reasons.has('hook')) return stored;
  const prefixes = refNamesFor(source.revision);
  const refs = await askHost(ports, { url, credential, credentialOf, prefixes }, { tenant, now }, pass.signal);
  return resolveRevision(source.revision, refTable(refs));
};

/** What this very spec resolved to, if nothing has gone wrong since. */
const storedRevision = (resolver: SourceResolver): ResolvedRevision | undefined => {
  const git = resolver.status?.source?.git;
  const isOfThisSpec = resolver.status?.observedGeneration === resolver.metadata.generation;
  if (git === undefined || !isOfThisSpec || !isTrue(resolver, 'Ready')) return undefined;
  return { commit: git.revision, type: git.type };
};

/** Where the revision is, and why the shared poll does not tell us when it moves, if so. */
interface FoundRevision {
  readonly seen: ResolvedRevision;
  readonly notServed: NotServed | undefined;
}

const resolveGit = async (
  ports: SourcePorts,
  question: GitQuestion,
  stored: ResolvedRevision | undefined,
  pass: Pass,
): Promise<FoundRevision> => {
  const { source, url } = question;
  const shared = await sharedBy(ports, question);
  pass.remember(undefined);
  const seen = await look(ports, question, shared, stored, pass);
  // A revision that is not there is followed too: whoever pushes it does not wait for a retry.
  const isFollowed = seen === undefined || canMove(seen.type);
  const notServed = isFollowed ? await follow(ports, question, shared, seen, pass) : undefined;
  if (seen === undefined) throw new RevisionNotFoundError(url, source.revision);
  return { seen, notServed };
};

/** What a pass found: the source, and for blobs and images that are followed, until when that counts. */
interface Resolved {
  readonly source: ResolvedSourceConfig;
  readonly followed?: Followed;
  readonly notServed?: NotServed | undefined;
}

const resolve = async (ports: SourcePorts, resolver: SourceResolver, pass: Pass): Promise<Resolved> => {
  const { git, blob, registry, subPath } = resolver.spec.source;
  if (git !== undefined) {
    const question = await questionFor(resolver, git, ports, pass);
    const { seen, notServed } = await resolveGit(ports, question, storedRevision(resolver), pass);
    return { source: { git: resolvedGit(git, subPath, seen) }, notServed };
  }
  const alone = resolvedAlone(resolver);
  await pass.dependOn(alone === undefined ? accountOf(resolver) : []);
  if (alone !== undefined) return { source: alone };
  const interval = askedSeconds(resolver.metadata.annotations) ?? 0;
  if (blob !== undefined) {
    const plain = resolvedBlob(blob, subPath);
    const followed = await followBlob(ports, resolver, blob, interval, pass);
    if ('notFollowed' in followed.version) return { source: { blob: plain }, followed };
    return { source: { blob: { ...plain, url: blobUrlAt(blob.url, followed.version.version) } }, followed };
  }
  if (registry !== undefined) {
    const plain = resolvedRegistry(registry, subPath);
    const followed = await followImage(ports, resolver, registry, interval, pass);
    if ('notFollowed' in followed.version) return { source: { registry: plain }, followed };
    return { source: { registry: { ...plain, image: followed.version.version } }, followed };
  }
  throw new PermanentError(
    sourceReasons.invalidSource,
    'invalid source type: set one of spec.source.git, blob and registry',
  );
};

/**
 * Resolves, follows what can move, and says so. A poll wakes us when a git revision moves; blobs and images are looked at by
 * ourselves. A failure keeps the last good source and is retried.
 */
export const sourceResolverReconciler = (ports: SourcePorts): Reconciler<SourceResolver> => ({
  kind: 'SourceResolver',
  reconcile: async (resolver, pass) => {
    if (pass.isFirst && isAnsweredByMaker(resolver, pass.now))
      return again(makersSeconds, 'the Image that made it says what it resolves to');
    const { source, followed, notServed } = await resolve(ports, resolver, pass);
    await pass.writeStatus(resolver, resolvedStatus(resolver, source, followed?.version ?? notServed, pass.now));
    return followed === undefined ? settled : again(followed.nextSeconds, 'the source is looked at again');
  },
  statusOnFailure: failedStatus,
});
