/** The requests that one Image cost, made again for other names by a client that does nothing else. */
import type { KubeObject } from '../../../lib/kube/object.ts';
import type { AuditedRequest } from '../../support/audit-line.ts';
import { imageNamed, namespace } from '../objects.ts';
import { inLanes } from '../wait.ts';
import type { World } from '../world.ts';

type Plain = KubeObject & { readonly spec?: unknown; readonly status?: unknown };

const kindOf: Readonly<Record<string, string>> = {
  images: 'Image',
  sourceresolvers: 'SourceResolver',
  builds: 'Build',
  pods: 'Pod',
  serviceaccounts: 'ServiceAccount',
  secrets: 'Secret',
  clusterbuilders: 'ClusterBuilder',
};

/** A step of the replay; `own` objects are renamed for each round, others are shared by all. */
interface Step {
  readonly verb: string;
  readonly kind: string;
  readonly isStatus: boolean;
  readonly own: boolean;
  readonly name: string;
}

const isOwn = (kind: string): boolean => ['Image', 'SourceResolver', 'Build', 'Pod'].includes(kind);

/** What was asked for on behalf of `image`, in order. A request for a shared object is known by its time only: each Image gets its part. */
const stepsOf = (requests: readonly AuditedRequest[], image: string): readonly Step[] => {
  const images = requests.filter(({ resource, verb }) => resource === 'pods' && verb === 'create').length;
  const step = ({ verb, resource, name }: AuditedRequest): Step => {
    const kind = kindOf[resource.replace('/status', '')] ?? '';
    return { verb, kind, isStatus: resource.endsWith('/status'), own: isOwn(kind), name };
  };
  const belongs = ({ name }: AuditedRequest): boolean => name === image || name.startsWith(`${image}-`);
  const listing: readonly Step[] = Array.from(
    { length: Math.round(requests.filter(({ verb }) => verb === 'list').length / images) },
    () => ({ verb: 'list', kind: 'Build', isStatus: false, own: true, name: '' }),
  );
  const own = requests
    .filter(belongs)
    .map(step)
    .filter(({ kind }) => kind !== '');
  const shared = [
    ...Map.groupBy(
      requests.map(step).filter(({ kind, own: isMine }) => kind !== '' && !isMine),
      ({ kind }) => kind,
    ).values(),
  ];
  const perImage = shared.flatMap((steps) => steps.slice(0, Math.round(steps.length / images)));
  return [...own, ...perImage, ...listing];
};

/** Creates, reads and status writes of round `index`. Each status write says something new, or the server would not store it. */
const runRound = async (
  { kube }: World,
  steps: readonly Step[],
  templates: ReadonlyMap<string, Plain>,
  round: string,
): Promise<void> => {
  const current = new Map<string, Plain>();
  const nameOf = (kind: string): string => `${round}-${kind.toLowerCase()}`;
  const create = async (kind: string): Promise<Plain> => {
    const { apiVersion, spec, metadata } = templates.get(kind) ?? {};
    const made = await kube.create<Plain>({
      apiVersion,
      kind,
      metadata: { name: nameOf(kind), namespace, labels: metadata?.labels, annotations: metadata?.annotations },
      spec,
    });
    current.set(kind, made);
    return made;
  };
  await create('Image');
  for (const [index, { verb, kind, isStatus, own, name }] of steps.entries()) {
    if (verb === 'list') await kube.list('Build', { namespace, labelSelector: `image.kpack.io/image=${round}` });
    else if (verb === 'create') await create(kind);
    else if (verb === 'get')
      await kube.get({ kind, namespace: kind === 'ClusterBuilder' ? '' : namespace, name: own ? nameOf(kind) : name });
    else if (isStatus) {
      const had = current.get(kind) ?? (await create(kind));
      const { status } = templates.get(kind) ?? {};
      const conditions = [
        { type: 'Ready', status: 'Unknown', lastTransitionTime: '2026-01-01T00:00:00Z', message: String(index) },
      ];
      current.set(kind, await kube.replaceStatus<Plain>({ ...had, status: { ...(status as object), conditions } }));
    }
  }
};

/** Seconds for the requests of `count` Images like `image`, made by `lanes` at once. Leaves its objects behind. */
export const replaySeconds = async (
  world: World,
  requests: readonly AuditedRequest[],
  image: string,
  count: number,
  lanes: number,
): Promise<number> => {
  const templates = new Map<string, Plain>();
  const names = {
    Image: image,
    SourceResolver: `${image}-source`,
    Build: `${image}-build-1`,
    Pod: `${image}-build-1-build-pod`,
  };
  for (const [kind, name] of Object.entries(names)) {
    const found = await world.kube.get<Plain>({ kind, namespace, name });
    if (found === undefined) throw new Error(`${kind} ${name} is gone: nothing to repeat`);
    templates.set(kind, found);
  }
  templates.set('Image', { ...templates.get('Image'), spec: imageNamed(world, 'replay').spec });
  const pod = templates.get('Pod') as Plain & { readonly spec?: { readonly [name: string]: unknown } };
  const { nodeName: _, ...spec } = pod.spec ?? {};
  templates.set('Pod', { ...pod, spec });
  const steps = stepsOf(requests, image);
  const started = performance.now();
  await inLanes(
    Array.from({ length: count }, (_unused, index) => `replay-${index}`),
    lanes,
    (round) => runRound(world, steps, templates, round),
  );
  return (performance.now() - started) / 1000;
};
