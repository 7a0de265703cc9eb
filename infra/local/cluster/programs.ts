/** The lifecycle that is compiled. The lifecycle image's label must say the same, or builders and apps disagree for ever (spec 07 §1). */
export const LIFECYCLE_VERSION = '0.21.0';
export const KUBERNETES_VERSION = '1.34.4';

export type ProgramName =
  | 'etcd'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kubectl'
  | 'kubelet'
  | 'launcher'
  | 'lifecycle'
  | 'registry';

/** What one `go build` makes, from which pinned module folder (`infra/local/tools/<module>`). */
export interface Program {
  readonly name: ProgramName;
  readonly module: 'etcd' | 'kubernetes' | 'lifecycle' | 'registry';
  readonly package: string;
  /** `-X` settings: without them clients misjudge the server's version. */
  readonly settings: readonly string[];
  /** Seconds of a first compile on two cores, so that a waiting user knows. */
  readonly seconds: number;
}

const [major, minor] = KUBERNETES_VERSION.split('.');
const component = 'k8s.io/component-base/version';
const kubernetesSettings = [
  `${component}.gitVersion=v${KUBERNETES_VERSION}`,
  `${component}.gitMajor=${major}`,
  `${component}.gitMinor=${minor}`,
  `${component}.gitCommit=v${KUBERNETES_VERSION}`,
  `${component}.gitTreeState=clean`,
  `${component}.buildDate=1970-01-01T00:00:00Z`,
];

const kubernetes = (name: ProgramName, seconds: number): Program => ({
  name,
  module: 'kubernetes',
  package: `k8s.io/kubernetes/cmd/${name}`,
  settings: kubernetesSettings,
  seconds,
});

const lifecycle = (name: ProgramName, seconds: number): Program => ({
  name,
  module: 'lifecycle',
  package: `github.com/buildpacks/lifecycle/cmd/${name}`,
  settings: [`github.com/buildpacks/lifecycle/cmd.Version=${LIFECYCLE_VERSION}`],
  seconds,
});

/** In the order of compiling: the slowest first, so that what follows finds its packages compiled. */
export const PROGRAMS: readonly Program[] = [
  kubernetes('kube-apiserver', 200),
  { name: 'etcd', module: 'etcd', package: 'go.etcd.io/etcd/server/v3', settings: [], seconds: 20 },
  kubernetes('kubectl', 25),
  kubernetes('kubelet', 20),
  kubernetes('kube-controller-manager', 60),
  kubernetes('kube-scheduler', 5),
  {
    name: 'registry',
    module: 'registry',
    package: 'github.com/distribution/distribution/v3/cmd/registry',
    settings: ['github.com/distribution/distribution/v3/version.version=v3.0.0'],
    seconds: 60,
  },
  lifecycle('lifecycle', 50),
  lifecycle('launcher', 2),
];

/** Flags every program is compiled with: no C library, no paths of this machine inside. */
export const buildFlags = (program: Program): readonly string[] => [
  '-mod=readonly',
  '-buildvcs=false',
  '-trimpath',
  '-ldflags',
  ['-s', '-w', ...program.settings.map((setting) => `-X ${setting}`)].join(' '),
];

/**
 * How, not what: the linker's `-w` drops what debuggers read, so it is not made in the first place. The same program comes out, so a cache
 * that was filled without them is as good.
 */
export const compilerFlags: readonly string[] = ['-gcflags=all=-dwarf=false'];
