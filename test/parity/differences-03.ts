/**
 * Where the 198 cases of spec 03 §23 are shown when not by a test of their own number, which are not reproduced at all, and which
 * end otherwise than in kpack on purpose (DESIGN §4). test/unit/spec-coverage fails on a case that is nowhere and on an entry that is
 * no longer true.
 */

/** Chapter 03 has this many cases. */
export const casesOf03 = 198;

/** Cases that other chapters have too, or that another case's test shows. */
export const shownAs03: Readonly<Record<number, readonly string[]>> = {
  100: ['04#137'],
  101: ['04#137'],
  102: ['04#139'],
  103: ['04#133'],
  111: ['04#132'],
  112: ['04#134'],
  115: ['04#68'],
  176: ['04#97'],
  177: ['04#98'],
  178: ['03#163'],
  180: ['04#124'],
  181: ['04#125'],
};

interface Difference {
  readonly kpack: string;
  readonly here: string;
  readonly because: string;
}

const kpClient: Difference = {
  kpack: 'package logs, compiled into the kp command line, follows pods and Images',
  here: 'nothing to do: kp brings that code itself and finds the labels, steps and conditions it needs',
  because: 'it is a client of the API, not a part of what runs behind it',
};
const mountedCredentials: Difference = {
  kpack: 'CREDENTIAL_PROVIDER_SECRET_PATH, node and cloud helper keychains are asked in turn in the controller',
  here: 'Secrets of the account, its own IAM role, then what the cluster’s registration grants; no ambient identity',
  because: 'a function has no node and no mounted Secret whose credentials tenants should share',
};

/** Cases without any test, each with the reason. */
export const absent03: Readonly<Record<number, Difference>> = {
  110: mountedCredentials,
  114: mountedCredentials,
  165: {
    kpack: 'signing without a folder of keys is an error of the signer',
    here: 'without keys nothing is signed and nothing fails',
    because: 'kpack does not call its signer then either; what users see is the same',
  },
  167: {
    kpack: 'notary’s token service is asked as client kpack',
    here: 'notary v1 is refused before the pod is made',
    because: 'Docker took notary v1 out of service; cosign signs instead',
  },
  172: kpClient,
  197: kpClient,
  198: kpClient,
};

const apart =
  'code of buildpacks, apps and of anybody’s builder image runs beside the steps that hold credentials (DESIGN §3.28)';

/** Cases with a test that end otherwise than in kpack. What this means for whole pods: pod-differences.ts. */
export const differences03: Readonly<Record<number, Difference>> = {
  19: {
    kpack: 'variables of the build may take their value from a ConfigMap; from a Secret, only admission refuses them',
    here: 'the Image or Build is told so, and no pod is made; the pod’s form is kept for comparison with recordings',
    because: 'values end in the log of the build, where people read them who may not read the object',
  },
  7: {
    kpack: 'analyze has the source too',
    here: 'it does not read it and does not have it; export has it read-only',
    because: apart,
  },
  21: {
    kpack: 'prepare writes project-metadata.toml into the layers directory',
    here: 'into a directory that prepare and export alone have',
    because: 'whoever can write it says what the image was built from',
  },
  27: {
    kpack: 'analyzed.toml is in the layers directory, and buildpacks can write it',
    here: 'in a directory of its own that they can read',
    because: 'whoever can write it chooses the run image, and which images the exporter takes layers from',
  },
  62: {
    kpack: 'completion believes the report in what was pushed where',
    here: 'it is told the Build’s tag, IMAGE_TAG, and takes the digest alone from the report',
    because: 'it signs with the account’s keys, and the report is the builder image’s',
  },
  74: {
    kpack: 'the waiter is copied into the volume in which every step says that it is done',
    here: 'into a volume that is read-only in every other step; steps of our own image do not need it',
    because: 'a buildpack could rewrite what runs next, with the signing keys (shown)',
  },
  75: {
    kpack: 'all steps write into one folder',
    here: 'each has a folder of its own, the others’ are read-only',
    because: 'a buildpack could say that any step is done, or has failed',
  },
  76: {
    kpack: 'a step waits for a file of another one, whatever that is',
    here: 'for a regular file, which is not opened; links are not followed',
    because: apart,
  },
  50: {
    kpack: 'a rebase pod has no deadline',
    here: 'it has the Build’s',
    because: 'a time-out the user set holds for every pod of a Build (DESIGN §4)',
  },
  55: {
    kpack: 'a builder that offers platform APIs from 0.10 on alone is refused',
    here: 'the highest it offers is spoken, up to 0.15; while it offers 0.9, 0.8 or 0.7, that is, as in kpack',
    because: 'lifecycles drop old versions in time, and the pod’s arguments fit the newer ones as they are',
  },
  71: {
    kpack: 'a Build with notary gets a pod that signs',
    here: 'the Build ends as NotaryUnsupported before there is a pod; the pod’s form is kept for comparison with recordings',
    because: 'an image that was pushed unsigned must not pass for success',
  },
  81: {
    kpack: 'the waiter hides the exit code of a failed step',
    here: 'the code is kept',
    because: 'it says why a phase failed',
  },
  86: {
    kpack: 'a Builder of another namespace is read with that Builder’s account',
    here: 'with the Build’s own, unless the Builder is in its namespace',
    because: 'whoever may write Builds in one namespace must not use the accounts of another (DESIGN §3.25)',
  },
  97: {
    kpack: 'a provisioned service that is not there fails the Build',
    here: 'the Build waits for it, with reason MissingService',
    because: 'only invalid input is final (DESIGN §4)',
  },
  99: {
    kpack: 'any error while the pod is generated is final',
    here: 'what may heal is tried again; only invalid input is final',
    because: 'a registry that is down for a minute must not fail a Build (DESIGN §4)',
  },
  95: {
    kpack: 'bindings may name any Secret that no account lists in its secrets',
    here: 'neither pull secrets, tokens of accounts and nodes, nor Secrets annotated for kpack',
    because: 'buildpacks would read them, and whoever made the Image may not',
  },
  105: {
    kpack: 'files of a Secret are taken as they are',
    here: 'a user name or password that holds a line break ends the step, naming Secret and key',
    because: 'such a login never worked; it was refused later by words that did not say why',
  },
  122: {
    kpack: 'where unknown hosts are trusted, known_hosts of a Secret are not looked at',
    here: 'they are obeyed; trust is for Secrets without any',
    because: 'whoever writes known_hosts wants them kept',
  },
  134: {
    kpack: 'the body of a refusal is repeated',
    here: 'its status, and the code of a storage service',
    because: 'a host may repeat what it was sent, and conditions are read by many',
  },
  136: {
    kpack: 'the image’s label has the URL of the source with login and signed query',
    here: 'without',
    because: 'images are published; whoever pulls one could fetch, or push, what the login opens',
  },
  163: {
    kpack: 'COSIGN_REPOSITORY is set in the process while it signs',
    here: 'the repository is an argument; no environment is touched',
    because: 'global state mixes up Builds that sign at once (DESIGN §4)',
  },
  166: {
    kpack: 'notary targets are signed after the push',
    here: 'the Build ends as NotaryUnsupported before the pod',
    because: 'an image that was pushed unsigned must not pass for success',
  },
  171: {
    kpack:
      'the source in provenance is the image’s label io.buildpacks.project.metadata; variables and URLs are shown as they are',
    here: 'its place is the spec’s and its digest what the step prepare says; a rebase names the image it was made of; variables have no values, URLs no secrets',
    because:
      'code of the application writes the label, and people put passwords into variables and URLs (DESIGN §3.28)',
  },
  173: {
    kpack: 'the condition has the last line of the log',
    here: 'the same, then what the exit code means and the last ten lines',
    because: 'the failure stays readable after the pod is gone',
  },
  194: {
    kpack: 'a rebase whose image is gone fails for ever',
    here: 'the image is built from source',
    because: 'there is nothing to rebase, and the user wants an image (DESIGN §4)',
  },
  195: {
    kpack: 'a rebase writes Docker schema 2',
    here: 'media types and annotations are kept',
    because: 'a rebase moves an image onto another base and changes nothing else (DESIGN §4)',
  },
};
