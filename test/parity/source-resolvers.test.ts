/** Our SourceResolver statuses beside the recorded ones of kpack, for the same spec. Every difference is listed with its reason. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SourceResolver, SourceResolverStatus } from '../../lib/api/source-resolver.ts';
import type { GitRef } from '../../lib/git/refs.ts';
import { golden, goldenFiles } from '../support/golden.ts';
import { sourceWorld } from '../support/source-world.ts';
import { type StateTables, stateTables } from '../support/state-table.ts';

const COMMIT = '001e282370d2a600d3682c21849959be29c4dd8e';
const TAG_OBJECT = 'eb79a2747bfb7160579e221b0708674e86812f95';

/** The repository of the recordings. */
const refs: readonly GitRef[] = [
  { name: 'HEAD', hash: COMMIT, symrefTarget: 'refs/heads/main' },
  { name: 'refs/heads/main', hash: COMMIT },
  { name: 'refs/tags/v1', hash: COMMIT },
  { name: 'refs/tags/v1a', hash: TAG_OBJECT, peeled: COMMIT },
];

const git = { url: 'http://127.0.0.1:8085/repo.git' };
const True = (type: string) => ({ type, status: 'True' });
const False = (type: string) => ({ type, status: 'False' });

/** What ours says instead (DESIGN §4). */
const differences: Readonly<Record<string, { readonly because: string; readonly status: object }>> = {
  'git-annotated-tag.json': {
    because: 'an annotated tag is the commit behind it',
    status: {
      conditions: [True('Ready'), True('ActivePolling')],
      source: { git: { ...git, revision: COMMIT, type: 'Tag' } },
    },
  },
  'git-default-revision-empty.json': {
    because: 'no revision is the default branch, where kpack takes it for a commit without name',
    status: {
      conditions: [True('Ready'), True('ActivePolling')],
      source: { git: { ...git, revision: COMMIT, type: 'Branch' } },
    },
  },
  'git-missing-repo.json': {
    because: 'a repository that cannot be read is not Ready',
    status: { conditions: [{ ...False('Ready'), reason: 'RepositoryNotFound' }, False('ActivePolling')] },
  },
  'git-missing-revision.json': {
    because: 'a revision that is not there is not Ready',
    status: { conditions: [{ ...False('Ready'), reason: 'RevisionNotFound' }, False('ActivePolling')] },
  },
  'blob-strip.json': {
    because: 'stripComponents is kept',
    status: {
      conditions: [True('Ready'), False('ActivePolling')],
      source: { blob: { url: 'http://127.0.0.1:8085/blob.tar.gz', stripComponents: 1 } },
    },
  },
};

interface Recording {
  readonly sourceResolver: SourceResolver | null;
}

const folders = ['default', 'sidecar', 'slsa', 'priority', 'platform07', 'platform012'];
const recordings = folders.flatMap((folder) =>
  goldenFiles(folder).flatMap((file): readonly (readonly [string, string, SourceResolver])[] => {
    const { sourceResolver } = golden(`${folder}/${file}`) as Recording;
    return sourceResolver === null ? [] : [[folder, file, sourceResolver]];
  }),
);

/** Without times and messages, which recordings lack. */
const compared = ({ conditions = [], ...status }: SourceResolverStatus): object => ({
  ...status,
  conditions: conditions.map(({ type, status: truth, reason }) => ({
    type,
    status: truth,
    ...(reason === undefined ? {} : { reason }),
  })),
});

let state: StateTables;
beforeAll(async () => {
  state = await stateTables();
});
afterAll(() => state[Symbol.asyncDispose]());

describe('SourceResolver statuses equal kpack’s', () => {
  it.each(recordings)('%s/%s', async (_, file, { metadata, spec, status }) => {
    const w = sourceWorld(await state.empty());
    w.host(git.url, refs);
    w.host('http://127.0.0.1:8085/none.git', 'not-found');
    const { namespace = '', name, generation = 1 } = metadata;
    w.apply(name, spec.source, { namespace, generation, serviceAccount: spec.serviceAccount ?? '' });
    await w.resolve(name, { namespace });
    const difference = differences[file]?.status;
    const wanted = difference === undefined ? status : { observedGeneration: generation, ...difference };
    expect(compared(w.statusOf(name, namespace) as SourceResolverStatus)).toEqual(wanted);
  });

  it('has no difference listed that does not exist', () => {
    const files = new Set(recordings.map(([, file]) => file));
    expect(Object.keys(differences).filter((file) => !files.has(file))).toEqual([]);
  });
});
