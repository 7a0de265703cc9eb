import * as v from 'valibot';
import { chosen, filled, flag, integer, integerFrom, list, object, oneOf, text } from './field.ts';
import { imageReference } from './image-name.ts';
import { secretName } from './object-reference.ts';
import { ruled } from './rule.ts';

/** Addresses signed by a cloud have thousands of characters. */
const longestUrl = 8192;

const initializeSubmodules = v.optional(flag('Whether submodules are fetched too; default false.'));
const blobAuth = v.optional(
  chosen(
    ['', 'helper', 'secret'],
    "must be one of '', 'helper', or 'secret'",
    "Credentials for the download: '' for none, helper for the cloud's own, secret for a Secret.",
  ),
);
const imagePullSecrets = v.optional(
  list(secretName('A Secret with registry credentials.'), 'Registry credentials; the build pod mounts the first.'),
);

/** A git repository at a revision. */
export const GitSourceSchema = object(
  {
    url: filled(longestUrl, 'spec.source.git.url', 'Repository, as https, http, ssh or scp-like address.'),
    revision: filled(1024, 'spec.source.git.revision', 'Branch, tag or commit.'),
    initializeSubmodules,
  },
  'Source in a git repository.',
);

/** An archive behind a URL. */
export const BlobSourceSchema = object(
  {
    url: filled(longestUrl, 'spec.source.blob.url', 'Where the archive (zip, tar, tar.gz, jar) is downloaded.'),
    auth: blobAuth,
    stripComponents: v.optional(
      integerFrom(0, 'expected positive integer or 0', 'Leading path elements removed from every file; default 0.'),
    ),
  },
  'Source in an archive behind a URL.',
);

/** A source image. */
export const RegistrySourceSchema = object(
  { image: imageReference('spec.source.registry.image', 'Image that holds the source.'), imagePullSecrets },
  'Source in an image of a registry.',
);

/** Where source code comes from. Source: spec 01 §3.2. */
export const SourceConfigSchema = ruled(
  object(
    {
      git: v.optional(GitSourceSchema),
      blob: v.optional(BlobSourceSchema),
      registry: v.optional(RegistrySourceSchema),
      subPath: v.optional(text('Directory of the source that is built; default the whole of it.')),
    },
    'Where the source comes from: exactly one of git, blob and registry.',
  ),
  {
    rule: 'has(self.git) || has(self.blob) || has(self.registry)',
    message: 'expected exactly one, got neither: blob, git, registry',
  },
  {
    rule: '[has(self.git), has(self.blob), has(self.registry)].filter(present, present).size() < 2',
    message: 'expected exactly one, got both: two of blob, git, registry',
    messageExpression:
      "'expected exactly one, got both: ' + (!has(self.registry) ? 'blob, git' : !has(self.git) ? 'blob, registry' : !has(self.blob) ? 'git, registry' : 'blob, git, registry')",
  },
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
