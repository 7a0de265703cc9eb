/**
 * Where the 105 cases of spec 01 §12 are shown when not by a test of their own number, and which are not reproduced at all.
 * test/unit/spec-coverage fails on a case that is nowhere and on an entry that is no longer true. Cases with a test may still end otherwise than in
 * kpack: the test's title says how, docs/api.md why.
 */

/** Chapter 01 has this many cases. */
export const casesOf01 = 105;

/** Cases that other chapters have too, where their tests carry that number. */
export const shownAs01: Readonly<Record<number, readonly string[]>> = {
  89: ['02#2'],
  90: ['02#11'],
  91: ['02#13', '02#15'],
  92: ['02#16'],
  93: ['04#107'],
  94: ['04#104'],
  99: ['02#106'],
  100: ['04#6'],
  101: ['02#179'],
  102: ['02#180'],
  103: ['02#182'],
};

interface Absent {
  readonly kpack: string;
  readonly here: string;
  readonly because: string;
}

const noClassAtAdmission: Absent = {
  kpack: 'a volume without a class is refused where there is no default StorageClass',
  here: 'it is taken, and the Image says that its claim waits for a class',
  because:
    'a policy sees one class at a time, and cannot say that none is the default; a class that is made later is used then',
};

/** Cases without any test, each with the reason. */
export const absent01: Readonly<Record<number, Absent>> = {
  41: noClassAtAdmission,
  42: noClassAtAdmission,
  46: {
    kpack: 'growing is refused when the webhook was told that the class cannot grow, which it never is',
    here: 'it is taken, as by the webhook that kpack ships',
    because: 'the case cannot be reached in kpack either (spec 01 §11.6)',
  },
  104: {
    kpack: 'a label on a namespace takes it out of defaulting and validation',
    here: 'definitions and policies hold in every namespace',
    because: 'the label belongs to kpack’s webhook framework, and an object that nobody checks only fails later',
  },
  105: {
    kpack: 'the certificate of the webhooks is made anew in its last day',
    here: 'there is no webhook for admission whose certificate could end',
    because: 'the API server evaluates the rules itself',
  },
};

/** Where what is said to the API ends otherwise than with kpack, and why; docs/api.md has the same rows. */
export const apiDifferences: readonly Absent[] = [
  {
    kpack: 'drops an unknown field without a word',
    here: 'drops it too; kubectl warns of it, and refuses it with `--validate=strict`; under server-side apply it is refused',
    because: 'a schema knows the fields: a misspelt one shows at once',
  },
  {
    kpack: 'takes keys in any case (`TAG`)',
    here: 'an unknown field',
    because: 'JSON has case, and so has every other kind of Kubernetes',
  },
  {
    kpack: 'tells the first of some mistakes and hides others behind it',
    here: 'tells all mistakes; while a required field is missing or has another type, those alone',
    because: 'one round is enough then',
  },
  {
    kpack: 'rewrites quantities and drops empty members (`1.5Gi` becomes `1536Mi`)',
    here: 'keeps what was written, and compares by value',
    because: 'nothing is written into a spec, so that GitOps sees what it applied',
  },
  {
    kpack: 'takes null in place of an item of a list, and any field that is null under server-side apply',
    here: 'refuses both, but for fields with a default; elsewhere null is a field that is left out',
    because: 'the API server checks a null that server-side apply brings against the schema',
  },
  {
    kpack: 'takes a cache size that is a fraction without quotes (`size: 0.5`)',
    here: 'refuses it; `cpu: 0.5` is taken, as is `size: "0.5"`',
    because: 'the rule that a cache never shrinks needs a type that rules can read',
  },
  {
    kpack: 'lets a build variable take its value from a ConfigMap',
    here: 'refuses configMapKeyRef like secretKeyRef',
    because: 'the value would be in the log of the build for all who may read that',
  },
  {
    kpack: 'checks an update whole, so that an object with an old fault cannot even be labelled or deleted',
    here: 'lets what did not change pass',
    because:
      'API servers let unchanged faults pass from 1.30 on; fields that may be nobody’s (notary, bindings) stay checked',
  },
  {
    kpack: 'takes anything in v1alpha1 that can be decoded',
    here: 'the same, but types hold and required fields must be there',
    because: 'what is stored must be what v1alpha2 can say',
  },
  {
    kpack:
      'keeps unknown fields of ClusterBuilder, ClusterStack and ClusterStore written in v1alpha1, and then can neither change nor delete them in v1alpha2',
    here: 'drops them',
    because: 'an object that cannot be deleted helps nobody',
  },
  {
    kpack:
      'loses additionalTags, creationTime, an empty cache and most of a Build or Builder when they are written in v1alpha1',
    here: 'carries them in annotation `conversion.kpack.io/v1alpha2`, and status fields as they are',
    because: 'a label set in v1alpha1 must not change a spec',
  },
  {
    kpack:
      'writes a cache of 2G into an Image that says nothing of one, where there is a default StorageClass, at every write',
    here: 'makes the claim and names it in `status.buildCacheName`; a larger claim stays as large. Into the spec it is written when the Image is made, by a policy, and not at all where the API server has none',
    because: 'a later write to the spec fights whoever applied it',
  },
  {
    kpack:
      'writes `serviceAccountName: default` into a Builder without an account, and `kind: ClusterStack` in place of an empty kind',
    here: 'reads them so',
    because: 'a schema gives defaults to what is absent, whatever stands beside it',
  },
  {
    kpack: 'refuses a volume without a class where no StorageClass is the default',
    here: 'takes it; the claim waits for a class',
    because: 'a policy sees one class at a time, and cannot say that none is the default',
  },
  {
    kpack:
      'refuses every change of an object with notary or bindings by others than its controller, garbage collection included',
    here: 'the same, but for Kubernetes’ collectors',
    because: 'an object that cannot be collected stays for ever',
  },
  {
    kpack: 'says `Builder has no latestImage` in Ready of a builder, and why in UpToDate alone',
    here: 'says both in Ready; while the first image is being pushed it is Unknown',
    because: '`kp` and Images that wait show Ready alone',
  },
  {
    kpack: 'leaves an Image with a source that cannot be reached to a Build that fails',
    here: 'Ready is False, with what the host said; Unknown for the first two minutes of one that does not answer',
    because: 'nothing is built of a source that nobody has seen',
  },
  {
    kpack: 'takes names of any length and lists of any number',
    here: 'bounds them: names of images 1024 characters, URLs 8192, 100 additional tags, 256 tags of a Build, 512 sources, groups and buildpacks of a group, 128 services, 4096 variables',
    because: 'the API server counts what a rule may cost',
  },
];
