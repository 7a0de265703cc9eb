/** Registries and git hosts that a cluster's objects name, tried from here, and as functions have met them. */
import type { Builder } from '../../../lib/api/builder.ts';
import type { Image } from '../../../lib/api/image.ts';
import type { OpenCircuit } from '../../../lib/fleet/tally.ts';
import type { KubeClient } from '../../../lib/kube/client.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { parseReference } from '../../../lib/oci/reference.ts';
import { type Checked, unknown, well, wrong } from '../findings.ts';

/** Hosts that are tried. */
const mostHosts = 10;

/** A host, and what is asked of it. */
export interface HostTried {
  readonly what: 'git' | 'registry';
  readonly host: string;
  /** Where anybody is answered, if only with 401; undefined: it speaks ssh, which is not tried from here. */
  readonly url: string | undefined;
}

const registryOf = (reference: string | undefined): readonly HostTried[] => {
  try {
    const { registry } = parseReference(reference ?? '');
    const host = registry === 'index.docker.io' ? 'registry-1.docker.io' : registry;
    return [{ what: 'registry', host, url: `https://${host}/v2/` }];
  } catch {
    return [];
  }
};

const gitOf = (url: string | undefined): readonly HostTried[] => {
  if (url === undefined || url === '') return [];
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) {
    const { host, protocol } = new URL(url);
    return [{ what: 'git', host, url: `${protocol}//${host}/` }];
  }
  const host = /(?:@|\/\/)(?<host>[\w.-]{1,253})[:/]/.exec(url)?.groups?.['host'];
  return host === undefined ? [] : [{ what: 'git', host, url: undefined }];
};

/** Hosts that Images and builders name, each once. @throws KubeError */
export const hostsOf = async (kube: KubeClient): Promise<readonly HostTried[]> => {
  const images = await kube.list<Image & KubeObject>('Image');
  const builders = [
    ...(await kube.list<Builder & KubeObject>('Builder')),
    ...(await kube.list<Builder & KubeObject>('ClusterBuilder')),
  ];
  const all = [
    ...[...images.map(({ spec }) => spec.tag), ...builders.map(({ spec }) => spec.tag)].flatMap(registryOf),
    ...images.flatMap(({ spec }) => gitOf(spec.source.git?.url)),
  ];
  return [...new Map(all.map((one) => [`${one.what} ${one.host}`, one])).values()].slice(0, mostHosts);
};

/** Asks a host for anything; gives what it answered, or throws with a sentence. */
export type Probe = (url: string) => Promise<number>;

/** How a host is from here, and for functions. */
export const tryHost = async (
  { what, host, url }: HostTried,
  probe: Probe,
  openHosts: readonly OpenCircuit[],
  cluster: string,
): Promise<readonly Checked[]> => {
  const name = host.split(':')[0] ?? host;
  const open = openHosts.filter(({ scope }) => {
    const [place = '', ofCluster] = scope.split('#');
    return place.includes(`//${name}:`) && (ofCluster === undefined || ofCluster === cluster);
  });
  const there: Checked =
    open.length === 0
      ? well(`${what} ${host} from functions`, 'nobody says that it does not answer')
      : wrong(
          `${what} ${host} from functions`,
          `does not answer (${open.map(({ scope }) => scope).join(', ')})`,
          'are functions allowed to reach it? KPACKLESS_EGRESS_ALLOW for private addresses, routes and security groups in a VPC (docs/registries.md)',
        );
  if (url === undefined) return [unknown(`${what} ${host} from here`, 'ssh is not tried'), there];
  try {
    return [well(`${what} ${host} from here`, `answers (HTTP ${await probe(url)})`), there];
  } catch (error) {
    // What only the installation reaches is no fault.
    return [unknown(`${what} ${host} from here`, error instanceof Error ? error.message : 'does not answer'), there];
  }
};
