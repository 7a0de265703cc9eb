/**
 * Where the 218 cases of spec 02 §11 are shown when not by a test of their own number, and which are not reproduced at all.
 * test/unit/spec-coverage fails on a case that is nowhere and on an entry that is no longer true. Cases with a test may still end
 * otherwise than in kpack: DESIGN §4 lists how, and the test's title says it.
 */

/** Chapter 02 has this many cases. */
export const casesOf02 = 218;

/** Cases that chapter 03 has too, where their tests carry that number. */
export const shownAs02: Readonly<Record<number, readonly string[]>> = {
  215: ['03#182'],
};

interface Absent {
  readonly kpack: string;
  readonly here: string;
  readonly because: string;
}

const shallowClones: Absent = {
  kpack:
    'GIT_RESOLVER_USE_SHALLOW_CLONE resolves by a clone and keeps the revision while the tree of the sub-path is equal',
  here: 'the flag is not offered; revisions are listed, with and without sub-path',
  because:
    'off by default in kpack and set by none of its manifests; a listing is shared by all Images, a clone is not',
};

/** Cases without any test, each with the reason. */
export const absent02: Readonly<Record<number, Absent>> = {
  185: shallowClones,
  186: shallowClones,
  188: shallowClones,
  195: shallowClones,
  197: shallowClones,
  198: shallowClones,
  200: shallowClones,
};
