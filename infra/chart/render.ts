/** The template of the Helm chart, made of the manifests of infra/cluster: one source for kubectl, kustomize and Helm. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '..', 'cluster');

/** The manifests of the relay, in the order in which they are applied. */
export const relayManifests = [
  'admission.yaml',
  'conversion.yaml',
  'relay-rbac.yaml',
  'relay.yaml',
  'relay-disruption.yaml',
] as const;

/** The chart knows what the API server serves, and has what only some serve, too. */
const chartManifests = [...relayManifests, 'default-cache.yaml'] as const;

type Manifest = (typeof chartManifests)[number];

/** A text of a manifest and what stands for it in the chart. */
type Replacement = readonly [from: string, to: string];

/** The definitions name the Service of that namespace, so nobody converts from another. */
const inKpack = '{{ if eq .Release.Namespace "kpack" }}';

/** Not every API server has such policies, and one that has not refuses them. */
const whereServed =
  '{{ if .Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1beta1/MutatingAdmissionPolicy" }}';

/** Manifests that are not for every cluster. */
const onlyIf: Readonly<Partial<Record<Manifest, string>>> = {
  'conversion.yaml': inKpack,
  'default-cache.yaml': whereServed,
};

const replacements: Readonly<Record<Manifest, readonly Replacement[]>> = {
  'admission.yaml': [],
  'default-cache.yaml': [],
  'conversion.yaml': [],
  'relay-rbac.yaml': [
    [
      'metadata:\n  name: kpackless-relay\n  namespace: kpack\n---',
      'metadata:\n  name: kpackless-relay\n  namespace: {{ .Release.Namespace }}\n{{- with .Values.roleArn }}\n  annotations: { eks.amazonaws.com/role-arn: {{ . | quote }} }\n{{- end }}\n---',
    ],
    [
      '    name: kpackless-relay\n    namespace: kpack\n',
      '    name: kpackless-relay\n    namespace: {{ .Release.Namespace }}\n',
    ],
  ],
  'relay.yaml': [
    ['  namespace: kpack\n', '  namespace: {{ .Release.Namespace }}\n'],
    ['  replicas: 1\n', '  replicas: {{ .Values.replicas }}\n'],
    ['image: REPLACE-RELAY-IMAGE', 'image: {{ .Values.image | quote }}'],
    ['name: AWS_REGION, value: REPLACE-REGION', 'name: AWS_REGION, value: {{ .Values.region | quote }}'],
    ['value: REPLACE-CLUSTER', 'value: {{ .Values.cluster | quote }}'],
    ['name: KPACKLESS_TABLE, value: REPLACE-INSTALLATION', 'name: KPACKLESS_TABLE, value: {{ .Values.table | quote }}'],
    [
      'value: https://sqs.REPLACE-REGION.amazonaws.com/REPLACE-ACCOUNT/REPLACE-INSTALLATION-',
      'value: {{ .Values.queueUrlPrefix | quote }}',
    ],
    ['value: "false"', 'value: {{ .Values.listEverything | quote }}'],
    [
      'name: KPACKLESS_CONVERSION_PORT, value: "8443"',
      `name: KPACKLESS_CONVERSION_PORT, value: ${inKpack}"8443"{{ else }}""{{ end }}`,
    ],
    [
      'requests: { cpu: 50m, memory: 96Mi }',
      'requests: { cpu: {{ .Values.cpu }}, memory: {{ .Values.memory.request }} }',
    ],
    ['limits: { memory: 192Mi }', 'limits: { memory: {{ .Values.memory.limit }} }'],
    [
      '      terminationGracePeriodSeconds: 30\n',
      '      terminationGracePeriodSeconds: 30\n{{- with .Values.nodeSelector }}\n      nodeSelector: {{ toJson . }}\n{{- end }}\n{{- with .Values.tolerations }}\n      tolerations: {{ toJson . }}\n{{- end }}\n',
    ],
  ],
  'relay-disruption.yaml': [['  namespace: kpack\n', '  namespace: {{ .Release.Namespace }}\n']],
};

/** Objects without the comments about how to apply them by hand. @throws Error when a manifest no longer has what a value stands for */
const templateOf = (file: Manifest): string => {
  let text = readFileSync(join(folder, file), 'utf8').replaceAll(/^#.*\n/gm, '');
  for (const [from, to] of replacements[file]) {
    if (text.split(from).length !== 2)
      throw new Error(`infra/cluster/${file} has not exactly one ${JSON.stringify(from)}`);
    text = text.replace(from, () => to);
  }
  if (text.includes('REPLACE-'))
    throw new Error(`infra/cluster/${file} has something to fill in that the chart does not know`);
  const condition = onlyIf[file];
  return condition === undefined ? text : `${condition}\n${text.trimEnd()}\n{{ end }}\n`;
};

/** `templates/relay.yaml`. */
export const chartTemplate = (): string =>
  `{{- /* Made by npm run chart of infra/cluster/relay*.yaml: change those. */ -}}\n${chartManifests.map(templateOf).join('---\n')}`;
