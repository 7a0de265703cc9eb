/** Mistakes people make, with kpack's answers (test/recordings/mistakes.json): what somebody with kubectl alone is told of each. */
import { describe, expect, it } from 'vitest';
import { golden } from '../../support/golden.ts';
import type { Answer, KpackCluster } from '../../support/kpack-cluster.ts';
import { unsaid } from '../../support/kpack-words.ts';
import { changed, made, type Sent } from './replay.ts';

interface Mistake {
  readonly title: string;
  readonly object: Sent;
  /** What the object is changed into, where that is the mistake. */
  readonly then: Sent | null;
  readonly kpackAccepts: boolean;
  readonly kpackMessage: string;
}

const mistakes = golden('mistakes.json') as readonly Mistake[];

/** What must be in the answer: the field, the value where there is one, and what would be right. */
const said: Readonly<Record<string, readonly string[]>> = {
  'wrong indentation: git beside source': [
    'spec.source',
    'got neither: blob, git, registry',
    'unknown field "spec.git"',
  ],
  'misspelt field serviceAcountName': ['unknown field "spec.serviceAcountName"'],
  'misspelt in build: envs': ['unknown field "spec.build.envs"'],
  'no source': ['spec.source', 'expected exactly one, got neither: blob, git, registry'],
  'git without revision': ['spec.source.git.revision', 'Required value'],
  'tag with digest': ['spec.tag', '@sha256:aaaa', 'no digest'],
  'tag with scheme https://': ['spec.tag', 'https://10.88.255.2:5000/api-mis/x', 'no https://'],
  'tag changed later': ['spec.tag', 'api-mis/other', 'make another Image'],
  'cache size "2GB"': ['spec.cache.volume.size', '2GB', '2G, 2Gi'],
  'cache class changed': ['spec.cache.volume.storageClassName', 'got: fast, want: local'],
  'volume and registry cache': ['spec.cache', 'only one type of cache can be specified: registry, volume'],
  'builder kind "clusterbuilder"': ['spec.builder.kind', 'clusterbuilder', 'Builder or ClusterBuilder'],
  'builder as text': ['spec.builder', 'must be of type object: "string"'],
  'builderRef (v0.1 API) in place of builder': ['spec.builder', 'Required value', 'unknown field "spec.builderRef"'],
  'additional tag in another registry': ['spec.additionalTags', 'got: gcr.io', 'expected registry: 10.88.255.2:5000'],
  'env from secretKeyRef': ['spec.build.env[0].valueFrom.secretKeyRef', 'write the value, or bind the Secret'],
  'env value as number': ['spec.build.env[0].value', 'must be of type string: "integer"'],
  'buildTimeout "10m"': ['spec.build.buildTimeout', 'must be of type integer: "string"'],
  'creationTime "yesterday"': ['spec.build.creationTime', 'yesterday', 'now, or seconds since 1970'],
  'nodeSelector kubernetes.io/os': ['spec.build.nodeSelector', 'kubernetes.io/os', 'os is determined automatically'],
  'imageTaggingStrategy "none"': ['spec.imageTaggingStrategy', 'none', 'write BuildNumber or None'],
  'notary in v1alpha2': ['spec.notary', 'please use v1alpha1', 'cosign'],
  'cosign annotation without name': ['spec.cosign.annotations[0].name', 'missing field(s)'],
  'poll interval as cron': ['image.kpack.io/pollInterval', '*/5 * * * *', 'write seconds'],
  'additionalBuildNeeded on the Image': ['image.kpack.io/additionalBuildNeeded', 'image.kpack.io/retry'],
  'git URL without scheme': ['spec.source.git.url', 'github.com/x/y', 'write https://host/path'],
  'Build with builder image and ref': ['spec.builder', 'got both', 'spec.builder.ref'],
  'Build without tags': ['spec.tags', 'missing field(s)'],
  'Builder: empty order entry': ['spec.order[0].group[0]', 'id, image, name + kind'],
  'Builder: order entry as text': ['spec.order[0]', 'must be of type object: "string"'],
  'Builder: tag with digest': ['spec.tag', '@sha256:aaaa', 'no digest'],
  'ClusterBuilder without serviceAccountRef': ['spec.serviceAccountRef', 'Required value'],
  'ClusterStore sources as texts': ['spec.sources[0]', 'must be of type object: "string"'],
  'ClusterStore without sources': ['spec.sources', 'missing field(s)'],
  'ClusterStack without run image': ['spec.runImage', 'Required value'],
};

/** Right as far as anybody can tell when it is written: the Image's condition says that there is no such builder. */
const toldLater = new Set(['builder that does not exist']);

/** As `kubectl apply` sends it: the API server warns of fields that it does not know. */
const warnOfUnknown = '?fieldValidation=Warn';

const isDecoding = (message: string): boolean => message.includes('cannot decode incoming');

/** The suite, on a cluster that is there when its tests run. */
export const describeMistakes = (cluster: () => KpackCluster): void => {
  const tell = ({ object, then }: Mistake): Promise<Answer> =>
    then === null ? made(cluster(), object, warnOfUnknown) : changed(cluster(), object, then);

  describe('mistakes', () => {
    it.each(mistakes.filter(({ title }) => !toldLater.has(title)))(
      '$title is told when it is written: field, value and what would be right',
      async (mistake) => {
        const answer = await tell(mistake);
        const text = [answer.message, ...answer.warnings].join('\n');
        expect((said[mistake.title] ?? ['(no words are listed)']).filter((words) => !text.includes(words))).toEqual([]);
        expect(answer.status === 422).toBe(!mistake.kpackAccepts);
        expect(isDecoding(mistake.kpackMessage) ? [] : unsaid(answer, mistake.kpackMessage)).toEqual([]);
      },
    );

    it.each(mistakes.filter(({ title }) => toldLater.has(title)))(
      '$title is accepted, as by kpack',
      async (mistake) => {
        expect((await tell(mistake)).message).toBe('');
      },
    );

    it('are all there', () => {
      expect(mistakes.map(({ title }) => title).sort()).toEqual([...Object.keys(said), ...toldLater].sort());
    });
  });
};
