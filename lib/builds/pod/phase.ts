/** What the steps that run a lifecycle have in common, with or without image extensions. */
import type { EnvVar, VolumeMount } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../../api/build.ts';
import { variable } from './container.ts';
import type { PodContext } from './context.ts';
import { analyzed, home, layers } from './volumes.ts';

/** What the phases share. */
export interface LifecycleInputs {
  readonly build: Build;
  readonly context: PodContext;
  readonly platformApi: string;
  /** Bindings, for the phases in which buildpacks run. */
  readonly bindings: readonly VolumeMount[];
}

/** One phase of the lifecycle, run in the builder image. */
export interface Phase {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env: readonly EnvVar[];
  readonly mounts: readonly VolumeMount[];
}

export const homeVariable = variable('HOME', home.mountPath);
export const bindingRoot = variable('SERVICE_BINDING_ROOT', '/platform/bindings');
export const layersArg = `-layers=${layers.mountPath}`;
export const appArg = '-app=/workspace';
export const groupArg = `-group=${layers.mountPath}/group.toml`;
export const planArg = `-plan=${layers.mountPath}/plan.toml`;
/** `analyzed.toml`, and how steps are told that have no argument for it in older lifecycles. */
export const analyzedPath = `${analyzed.mountPath}/analyzed.toml`;
export const analyzedArg = `-analyzed=${analyzedPath}`;
export const analyzedVariable = variable('CNB_ANALYZED_PATH', analyzedPath);
/** Where the lifecycle is in a builder image. */
export const lifecyclePath = '/cnb/lifecycle';
