/** Which release this is: written into every builder, so it must be one text for all functions of a release (spec 04 §8.7). */
import packageJson from '../package.json' with { type: 'json' };

/** `v1.2.3`, with the commit of the release when it is known `v1.2.3 (git sha: abc)`, as kpack prints it. */
export const creatorVersionOf = (commit: string, { version }: { readonly version: string } = packageJson): string =>
  commit === '' ? `v${version}` : `v${version} (git sha: ${commit})`;
