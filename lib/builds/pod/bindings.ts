/** Service bindings as the buildpacks see them: volumes and read-only mounts of detect and build (spec 03 §5). */
import { createHash } from 'node:crypto';
import type { Volume, VolumeMount } from 'kubernetes-types/core/v1.d.ts';
import { PermanentError } from '../../errors/expected.ts';
import type { Binding } from './context.ts';

export interface MountedBindings {
  readonly volumes: readonly Volume[];
  readonly mounts: readonly VolumeMount[];
}

const isVolumeName = (name: string): boolean => /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name);

/**
 * A name that a volume may have. Bindings may have dots and 253 characters, volumes neither: kpack's pod is then refused. The hash keeps two
 * bindings apart that are alike otherwise.
 */
const volumeName = (name: string): string => {
  if (isVolumeName(name)) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8);
  const head = name.replaceAll(/[^a-z0-9-]/g, '-').slice(0, 63 - 1 - hash.length);
  return `${head}-${hash}`;
};

interface BindingVolume {
  readonly volume: Volume;
  readonly mountPath: string;
}

/** Where it is mounted. Throws PermanentError for a name with which it would be mounted somewhere else. */
const pathOf = ({ name }: Binding): string => {
  if (/^[A-Za-z0-9_.-]{1,253}$/.test(name) && !/^\.+$/.test(name)) return `/platform/bindings/${name}`;
  const shown = JSON.stringify(name.slice(0, 100));
  throw new PermanentError(
    '',
    `binding name ${shown} cannot be used: it becomes the name of a folder, so use letters, digits, ".", "-" and "_"`,
  );
};

const volumesOf = (binding: Binding): readonly BindingVolume[] => {
  const path = pathOf(binding);
  const fromSecret = (name: string, mountPath: string): readonly BindingVolume[] =>
    binding.secret === undefined
      ? []
      : [{ volume: { name: volumeName(name), secret: { secretName: binding.secret } }, mountPath }];
  if (binding.kind === 'service') return fromSecret(`binding-${binding.name}`, path);
  return [
    {
      volume: { name: volumeName(`binding-metadata-${binding.name}`), configMap: { name: binding.metadata } },
      mountPath: `${path}/metadata`,
    },
    ...fromSecret(`binding-secret-${binding.name}`, `${path}/secret`),
  ];
};

/** All bindings in order; a service without a secret yet contributes nothing. Throws PermanentError for a name that is no folder's. */
export const mountedBindings = (bindings: readonly Binding[]): MountedBindings => {
  const all = bindings.flatMap(volumesOf);
  return {
    volumes: all.map(({ volume }) => volume),
    mounts: all.map(({ volume, mountPath }) => ({ name: volume.name, mountPath, readOnly: true })),
  };
};
