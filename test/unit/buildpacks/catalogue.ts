import type { BuildpackStatus } from '../../../lib/api/buildpacks.ts';
import type { Catalogue, Offer } from '../../../lib/buildpacks/offers.ts';

/** `id@version` of a buildpack that runs anywhere, with the order `id@version` names give it. */
export const aBuildpack = (name: string, over: Partial<BuildpackStatus> = {}): BuildpackStatus => {
  const [id = '', version] = name.split('@');
  return { id, ...(version && { version }), api: '0.10', stacks: [{ id: '*' }], size: 1, ...over };
};

/** One group of these buildpacks. */
export const ordering = (...names: readonly string[]): Pick<BuildpackStatus, 'order'> => ({
  order: [
    {
      group: names.map((name) => {
        const [id = '', version] = name.split('@');
        return { id, ...(version && { version }) };
      }),
    },
  ],
});

/** Offers of these buildpacks, read with the account called `account`. */
export const offers = (account: string, ...buildpacks: readonly (string | BuildpackStatus)[]): readonly Offer[] =>
  buildpacks.map((buildpack) => ({
    buildpack: typeof buildpack === 'string' ? aBuildpack(buildpack) : buildpack,
    account: { namespace: 'ns', serviceAccount: account },
  }));

/** A catalogue with nothing in it but what is given. */
export const aCatalogue = (over: Partial<Catalogue> = {}): Catalogue => ({
  buildpacks: [],
  clusterBuildpacks: [],
  store: [],
  ...over,
});
