/** Every kind of pod that a Build can get: all its choices with each other. */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import type { BuildSpec } from '../../lib/api/build.ts';
import { buildPod } from '../../lib/builds/pod/build-pod.ts';
import type { Binding, BuildSecret } from '../../lib/builds/pod/context.ts';
import { baseSecrets, buildB, contextB, cosignSecret } from '../unit/builds/base-build.ts';

/** What was chosen, and the pod of it. */
export interface Variant {
  readonly title: string;
  readonly source: keyof typeof sources;
  readonly cache: keyof typeof caches;
  readonly form: (typeof forms)[number];
  /** Its steps start at once: sidecars are injected, or it is parallel and of a kind that may be. */
  readonly atOnce: boolean;
  readonly hasExtensions: boolean;
  readonly isRebase: boolean;
  readonly bindings: keyof typeof bindings;
  readonly secrets: keyof typeof secrets;
  readonly pod: Pod;
}

const imagePullSecrets = [{ name: 'registry-source-secret' }];
const sources = {
  git: { git: { url: 'https://github.com/a/b', revision: 'main' } },
  'git below a folder': { git: { url: 'https://github.com/a/b', revision: 'main' }, subPath: 'some/path' },
  'blob with secrets': { blob: { url: 'https://blobstore.com/a.zip', auth: 'secret' } },
  blob: { blob: { url: 'https://blobstore.com/a.zip' } },
  registry: { registry: { image: 'reg.io/source', imagePullSecrets } },
} as const satisfies Record<string, BuildSpec['source']>;

const caches = {
  volume: { volume: { persistentVolumeClaimName: 'some-cache-name' } },
  registry: { registry: { tag: 'reg.io/cache' } },
  none: {},
} as const satisfies Record<string, BuildSpec['cache']>;

const bindings = {
  none: [],
  all: [
    { kind: 'service', name: 'database', secret: 'database-secret' },
    { kind: 'cnb', name: 'apm', metadata: 'apm-map', secret: 'apm-secret' },
  ],
} as const satisfies Record<string, readonly Binding[]>;

/** Both a registry's credentials and a signing key. */
const both: BuildSecret = { name: 'both', type: 'kubernetes.io/dockerconfigjson', annotations: {}, signsImages: true };
const secrets = {
  none: [],
  all: [...baseSecrets, cosignSecret('key'), both],
} as const satisfies Record<string, readonly BuildSecret[]>;

const keysOf = <K extends string>(choices: Readonly<Record<K, unknown>>): readonly K[] => Object.keys(choices) as K[];
const yesOrNo = [false, true] as const;
const forms = ['in sequence', 'in parallel', 'beside sidecars'] as const;

type Choice = Omit<Variant, 'pod' | 'title' | 'atOnce'>;

const choices: readonly Choice[] = keysOf(sources).flatMap((source) =>
  keysOf(caches).flatMap((cache) =>
    keysOf(bindings).flatMap((bound) =>
      keysOf(secrets).flatMap((given) =>
        forms.flatMap((form) =>
          yesOrNo.flatMap((hasExtensions) =>
            yesOrNo.map((isRebase) => ({
              source,
              cache,
              bindings: bound,
              secrets: given,
              form,
              hasExtensions,
              isRebase,
            })),
          ),
        ),
      ),
    ),
  ),
);

const podFor = (choice: Choice, settings: { readonly emptyDirLimit?: string }): Pod =>
  buildPod(
    buildB(
      {
        source: sources[choice.source],
        cache: caches[choice.cache],
        notary: { v1: { url: 'https://notary.example', secretRef: { name: 'notary-secret' } } },
        priorityClassName: 'p',
        runtimeClassName: 'gvisor',
        schedulerName: 's',
      },
      choice.isRebase ? { annotations: { 'image.kpack.io/reason': 'STACK' } } : {},
    ),
    contextB({
      builder: choice.hasExtensions ? { hasExtensions: true, platformApis: ['0.12', '0.13'] } : {},
      secrets: secrets[choice.secrets],
      pullSecrets: choice.secrets === 'none' ? [] : ['image-pull-1'],
      bindings: bindings[choice.bindings],
      settings: {
        injectedSidecars: choice.form === 'beside sidecars',
        buildSteps: choice.form === 'in parallel' ? 'parallel' : 'sequential',
        ...settings,
      },
    }),
  );

const startsAtOnce = ({ form, hasExtensions, isRebase }: Choice): boolean =>
  form === 'beside sidecars' || (form === 'in parallel' && !hasExtensions && !isRebase);

const titleOf = ({ form, hasExtensions, isRebase, ...choice }: Choice): string =>
  [
    isRebase ? 'rebase' : 'build',
    form,
    ...(hasExtensions ? ['with extensions'] : []),
    ...Object.entries(choice).map(([what, which]) => `${what} ${which}`),
  ].join(', ');

/** All of them, some 720. */
export const podVariants = (settings: { readonly emptyDirLimit?: string } = {}): readonly Variant[] =>
  choices.map((choice) => ({
    ...choice,
    atOnce: startsAtOnce(choice),
    title: titleOf(choice),
    pod: podFor(choice, settings),
  }));
