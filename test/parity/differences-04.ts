/**
 * Where the 148 cases of spec 04 §15 are shown when not by a test of their own number, and what of them is deliberately otherwise
 * (DESIGN §4). test/unit/spec-coverage fails on a case that is in neither place and on an entry that is no longer true.
 */

/** Chapter 04 has this many cases. */
export const casesOf04 = 148;

/** Cases that chapter 03 has too, where their tests carry that number. */
export const shownAs: Readonly<Record<number, readonly string[]>> = {
  140: ['03#155'],
  141: ['03#156'],
  143: ['03#154'],
  144: ['03#141', '03#142', '03#143'],
  145: ['03#130', '03#131', '03#132', '03#133', '03#136'],
  146: ['03#134', '03#135'],
  147: ['03#137'],
  148: ['03#138', '03#139'],
};

interface Difference {
  readonly kpack: string;
  readonly here: string;
  readonly because: string;
}

/** Cases of which a part is not reproduced. */
export const differences04: Readonly<Record<number, Difference>> = {
  6: {
    kpack: 'a failed read empties the status',
    here: 'the last good status stays, Ready=False says why',
    because: 'one hiccup of a registry must not break every builder (DESIGN §4)',
  },
  12: {
    kpack: '404 is retried with back-off for ever',
    here: 'a clear condition, looked at again slowly',
    because: 'somebody has to act first (DESIGN §4)',
  },
  13: {
    kpack: '401 is never retried',
    here: 'looked at again slowly',
    because: 'Secrets are not watched: nobody tells us that one was put right (DESIGN §3.8)',
  },
  14: {
    kpack: 'connection refused is final for ten hours',
    here: 'retried with back-off',
    because: 'an outage ends (DESIGN §4)',
  },
  77: {
    kpack: 'the run image was pushed before anything was validated',
    here: 'nothing is pushed unless everything fits',
    because: 'a builder that can never be made shall leave nothing behind (spec 04 §14.10)',
  },
  85: {
    kpack: 'the run image is already saved when Windows is refused',
    here: 'nothing is saved',
    because: 'as for case 77',
  },
  95: {
    kpack: 'a key that cannot be used is a permanent error',
    here: 'looked at again slowly, the Secret named',
    because: 'Secrets are not watched',
  },
  98: {
    kpack: 'the annotations are environment variables of the process during the call',
    here: 'arguments of the call',
    because: 'builders signed at the same time must not see each other’s settings (DESIGN §4)',
  },
  118: {
    kpack: 'a tracker in memory calls back',
    here: 'an edge in the store, and a message to the dependent’s queue',
    because: 'functions have no memory (DESIGN §3.8)',
  },
  121: {
    kpack: 'tracking ends with a lease of some hours',
    here: 'an edge stays until the object follows something else or is gone',
    because: 'a lease that runs out unseen loses a wake-up (DESIGN §3.8)',
  },
  125: {
    kpack: 'failures of the network are a class of their own that is permanent',
    here: 'OciError with a code, retried soon or slowly',
    because: 'DESIGN §4',
  },
  128: {
    kpack: 'an index is always taken for linux/amd64',
    here: 'the same unless a builder asks for more platforms or an app image is rebased, which keeps its own',
    because: 'builders for several architectures (DESIGN §5)',
  },
  130: {
    kpack: '`GET /v2/` is a request of its own before every access check',
    here: 'the manifest is asked for at once; its status is told',
    because: 'one request less; the message names the URL that failed',
  },
  142: {
    kpack: 'the name of the image is empty too',
    here: 'the image that was pushed stays named',
    because: 'a Build that pushed must end (DESIGN §4)',
  },
  143: {
    kpack: 'metadata that is too large is an error after the push',
    here: 'what does not fit is left out, the image never',
    because: 'a Build that pushed must end (DESIGN §4)',
  },
  146: {
    kpack: 'every failed download fails the step',
    here: 'a host that fails for a moment is asked again first',
    because: 'DESIGN §4',
  },
};
