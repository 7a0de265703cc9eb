/**
 * Where the 105 cases of spec chapter 01 (§12) are shown when not by a test of their own number, and which are not reproduced at all.
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
  because: 'neither a schema nor a policy can look for another object; a class that is made later is used then',
};

/** Cases without any test, each with the reason. */
export const absent01: Readonly<Record<number, Absent>> = {
  41: noClassAtAdmission,
  42: noClassAtAdmission,
  46: {
    kpack: 'growing is refused when the webhook was told that the class cannot grow, which it never is',
    here: 'it is taken, as by the webhook that kpack ships',
    because: 'the case cannot be reached in kpack either (spec 01 §11, 6)',
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
