/** Whatever is changed and however Builds end: what is wanted is built in the end, and nothing is built for ever. */
import {
  array,
  asyncProperty,
  boolean,
  constant,
  constantFrom,
  assert as holds,
  oneof,
  record,
  tuple,
} from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Build, BuildStatus } from '../../../lib/api/build.ts';
import { isRebase } from '../../../lib/builds/pod/is-rebase.ts';
import { isFailure, isRunning } from '../../../lib/images/builds-of-image.ts';
import { badStatus, digest, imageWorld, revision } from '../../support/image-world.ts';
import { git } from './after-change.ts';

/** What goes into an image. */
interface Inputs {
  readonly revision: string;
  readonly env: string;
  readonly buildpack: string;
  readonly run: string;
  readonly lifecycle: string;
}
type Event =
  | { readonly change: Partial<Inputs> }
  /** The builder is made anew of the same things. */
  | { readonly face: string }
  | { readonly retry: string }
  | { readonly end: 'bad' | 'good' };

const digits = constantFrom('1', '2', '3');
const event = oneof(
  record({ revision: digits }).map((change): Event => ({ change })),
  record({ env: digits }).map((change): Event => ({ change })),
  record({ buildpack: digits }).map((change): Event => ({ change })),
  record({ run: digits }).map((change): Event => ({ change })),
  record({ lifecycle: digits }).map((change): Event => ({ change })),
  record({ buildpack: digits, run: digits, lifecycle: digits }).map((change): Event => ({ change })),
  digits.map((face): Event => ({ face })),
  digits.map((retry): Event => ({ retry })),
  ...(['good', 'good', 'bad', 'bad', 'bad'] as const).map((end) => constant<Event>({ end })),
);

const runImage = (run: string): string => `registry.example/run@${digest(run)}`;

/** An Image whose Builds do what pods would do, with what came out of them. */
const history = () => {
  const world = imageWorld();
  let wanted: Inputs = { revision: '1', env: '1', buildpack: '1', run: '1', lifecycle: '1' };
  let face = '1';
  let builder = '';
  /** Builder images, by what is in them; and images of the app. */
  const builders = new Map<string, Pick<Inputs, 'buildpack' | 'lifecycle' | 'run'>>();
  const images = new Map<string, Inputs>();

  const offer = (): void => {
    const { buildpack, run, lifecycle } = wanted;
    const latestImage = `registry.example/builder@sha256:${`${buildpack}${run}${lifecycle}${face}`.padEnd(64, '0')}`;
    builder = latestImage;
    builders.set(latestImage, { buildpack, run, lifecycle });
    world.offer({
      latestImage,
      builderMetadata: [{ id: 'bp', version: buildpack }],
      stack: { id: 'stack', runImage: runImage(run) },
      lifecycle: { version: lifecycle },
    });
  };
  /** What a Build makes: a rebase moves an image onto another run image, anything else builds anew. */
  const outcome = ({ spec, metadata }: Build): Inputs => {
    const offered = builders.get(spec.builder.image ?? '');
    if (offered === undefined) throw new Error('built with an unknown builder');
    const before = images.get(spec.lastBuild?.image ?? '');
    if (isRebase({ spec, metadata } as Build, 'stack') && before !== undefined) return { ...before, run: offered.run };
    return { ...offered, revision: spec.source.git?.revision[0] ?? '', env: spec.env?.[0]?.value ?? '' };
  };
  const last = (): Build | undefined =>
    world.kube
      .all('Build')
      .toSorted((a, b) => numberOf(a) - numberOf(b))
      .at(-1);
  const numberOf = ({ metadata }: Build): number => Number(metadata.labels?.['image.kpack.io/buildNumber']);

  const end = (how: 'bad' | 'good'): boolean => {
    const build = last();
    if (build === undefined || !isRunning(build)) return false;
    if (how === 'bad') {
      world.finish(numberOf(build), badStatus);
      return true;
    }
    const made = outcome(build);
    const latestImage = `registry.example/app@sha256:${String(numberOf(build)).padStart(64, '0')}`;
    images.set(latestImage, made);
    const status: BuildStatus = {
      conditions: [{ type: 'Succeeded', status: 'True' }],
      latestImage,
      buildMetadata: [{ id: 'bp', version: made.buildpack }],
      stack: { id: 'stack', runImage: runImage(made.run) },
      lifecycleVersion: made.lifecycle,
    };
    world.finish(numberOf(build), status);
    return true;
  };
  const source = (): void => {
    if (world.resolver() !== undefined) world.resolve(git({ revision: revision(wanted.revision) }));
  };
  /** Image, builder and resolver say what is wanted. */
  const show = (): void => {
    world.want({ build: { env: [{ name: 'E', value: wanted.env }] } });
    offer();
    source();
  };
  show();
  const look = async (): Promise<void> => {
    await world.pass();
    source();
    await world.pass();
  };

  return {
    world,
    last,
    look,
    end,
    images,
    builder: (): string => builder,
    wanted: (): Inputs => wanted,
    happen: (what: Event): void => {
      if ('change' in what) wanted = { ...wanted, ...what.change };
      if ('face' in what) face = what.face;
      if ('retry' in what)
        world.kube.edit(
          'Image',
          'image-name',
          (now) => ({ ...now, metadata: { ...now.metadata, annotations: { 'image.kpack.io/retry': what.retry } } }),
          'some-namespace',
        );
      if ('end' in what) end(what.end);
      show();
    },
  };
};

describe('whatever happens to an Image', () => {
  it('what is wanted is built in the end, but what failed already; and then nothing more', {
    timeout: 60_000,
  }, async () => {
    await holds(
      asyncProperty(array(tuple(event, boolean()), { maxLength: 25 }), async (events) => {
        const told = history();
        for (const [one, isSeen] of events) {
          told.happen(one);
          if (isSeen) await told.look();
        }
        await told.look();
        // From here on all goes well.
        let builds = 0;
        while (told.end('good')) {
          builds += 1;
          expect(builds).toBeLessThan(3);
          await told.look();
        }
        const last = told.last();
        if (last === undefined) throw new Error('nothing was built');
        const { source, env, builder } = last.spec;
        const inputs = [source.git?.revision[0], env?.[0]?.value, builder.image];
        const { latestImage = '' } = told.world.image().status ?? {};
        const { revision: wantedRevision, env: wantedEnv } = told.wanted();
        // A failure of the very inputs that are wanted stands; otherwise the image is what is wanted.
        const failed = isFailure(last);
        expect(failed ? inputs : told.images.get(latestImage)).toEqual(
          failed ? [wantedRevision, wantedEnv, told.builder()] : told.wanted(),
        );
        const before = told.world.builds();
        await told.look();
        expect(told.world.builds()).toEqual(before);
      }),
      { numRuns: 500 },
    );
  });
});
