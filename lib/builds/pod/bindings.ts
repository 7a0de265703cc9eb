/** Service bindings as the buildpacks see them: volumes and read-only mounts of detect and build (spec 03 §5). */
import type { Volume, VolumeMount } from 'kubernetes-types/core/v1.d.ts';
import type { Binding } from './context.ts';

export interface MountedBindings {
  readonly volumes: readonly Volume[];
  readonly mounts: readonly VolumeMount[];
}

interface BindingVolume {
  readonly volume: Volume;
  readonly mountPath: string;
}

const volumesOf = (binding: Binding): readonly BindingVolume[] => {
  const path = `/platform/bindings/${binding.name}`;
  const fromSecret = (name: string, mountPath: string): readonly BindingVolume[] =>
    binding.secret === undefined ? [] : [{ volume: { name, secret: { secretName: binding.secret } }, mountPath }];
  if (binding.kind === 'service') return fromSecret(`binding-${binding.name}`, path);
  return [
    {
      volume: { name: `binding-metadata-${binding.name}`, configMap: { name: binding.metadata } },
      mountPath: `${path}/metadata`,
    },
    ...fromSecret(`binding-secret-${binding.name}`, `${path}/secret`),
  ];
};

/** All bindings in order; a service without a secret yet contributes nothing. */
export const mountedBindings = (bindings: readonly Binding[]): MountedBindings => {
  const all = bindings.flatMap(volumesOf);
  return {
    volumes: all.map(({ volume }) => volume),
    mounts: all.map(({ volume, mountPath }) => ({ name: volume.name, mountPath, readOnly: true })),
  };
};
