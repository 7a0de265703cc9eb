import * as v from 'valibot';
import { flag, integer, integerFrom, list, object, oneOf, text } from './field.ts';
import { secretName } from './object-reference.ts';

const initializeSubmodules = v.optional(flag('Whether submodules are fetched too; default false.'));
const blobAuth = v.optional(
  oneOf(['', 'helper', 'secret'], 'Credentials for the download: none, a cloud credential helper, or a Secret.'),
);
const imagePullSecrets = v.optional(
  list(secretName('A Secret with registry credentials.'), 'Registry credentials; the build pod mounts the first.'),
);

/** A git repository at a revision. */
export const GitSourceSchema = object(
  {
    url: text('Repository, as https, http, ssh or scp-like address.'),
    revision: text('Branch, tag or commit.'),
    initializeSubmodules,
  },
  'Source in a git repository.',
);

/** An archive behind a URL. */
export const BlobSourceSchema = object(
  {
    url: text('Where the archive (zip, tar, tar.gz, jar) is downloaded.'),
    auth: blobAuth,
    stripComponents: v.optional(integerFrom(0, 'Leading path elements removed from every file; default 0.')),
  },
  'Source in an archive behind a URL.',
);

/** A source image. */
export const RegistrySourceSchema = object(
  { image: text('Image that holds the source.'), imagePullSecrets },
  'Source in an image of a registry.',
);

/** Where source code comes from. Source: spec 01 §3.2. */
export const SourceConfigSchema = object(
  {
    git: v.optional(GitSourceSchema),
    blob: v.optional(BlobSourceSchema),
    registry: v.optional(RegistrySourceSchema),
    subPath: v.optional(text('Directory of the source that is built; default the whole of it.')),
  },
  'Where the source comes from: exactly one of git, blob and registry.',
);

/** Where source code comes from. Exactly one of git, blob, registry; when several are set anyway they win in that order. */
export type SourceConfig = v.InferOutput<typeof SourceConfigSchema>;
/** A git repository at a branch, tag or commit. */
export type GitSource = v.InferOutput<typeof GitSourceSchema>;
/** An archive behind a URL. */
export type BlobSource = v.InferOutput<typeof BlobSourceSchema>;
/** A source image in a registry. */
export type RegistrySource = v.InferOutput<typeof RegistrySourceSchema>;

const subPath = v.optional(text('Directory of the source that is built.'));

/** A source as a SourceResolver found it. Source: spec 01 §3.3. */
export const ResolvedSourceConfigSchema = object(
  {
    git: v.optional(
      object(
        {
          url: text('Repository, as requested.'),
          revision: text('Commit id once resolved, else the requested text.'),
          type: oneOf(['Branch', 'Tag', 'Commit', 'Unknown'], 'What the requested revision turned out to be.'),
          subPath,
          initializeSubmodules,
          tree: v.optional(text('Tree id of subPath, only with shallow clones switched on.')),
        },
        'The commit that is built.',
      ),
    ),
    blob: v.optional(
      object(
        {
          url: text('Where the archive is downloaded.'),
          auth: blobAuth,
          subPath,
          stripComponents: v.optional(integer('Leading path elements removed from every file.')),
        },
        'The archive that is built.',
      ),
    ),
    registry: v.optional(
      object(
        { image: text('Image that holds the source.'), imagePullSecrets, subPath },
        'The source image that is built.',
      ),
    ),
  },
  'The source that the last resolution found.',
);

/** A source as it was resolved: git revisions are commit ids, and only type Branch or Tag can move (is polled). */
export type ResolvedSourceConfig = v.InferOutput<typeof ResolvedSourceConfigSchema>;
/** A resolved git source. */
export type ResolvedGit = NonNullable<ResolvedSourceConfig['git']>;
/** What a requested git revision turned out to be. */
export type GitRevisionType = ResolvedGit['type'];
