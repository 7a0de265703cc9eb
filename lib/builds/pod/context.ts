/** What a build pod is made from besides the Build itself. Gathered by the reconciler; plain data, no secret values (spec 03 §1). */

/** One program of the step image. Our image holds all four, hence the explicit command. */
export interface StepProgram {
  readonly image: string;
  readonly command: readonly string[];
}

/** What starts each step when its turn comes, where all start at once. */
export interface TurnProgram {
  /** The image that has both, which is that of the first step. */
  readonly image: string;
  /** A shell that is one file and needs no other. */
  readonly shell: string;
  readonly script: string;
}

export interface StepPrograms {
  readonly prepare: StepProgram;
  readonly completion: StepProgram;
  readonly rebase: StepProgram;
  /** Copies itself for steps in other images, where it extends them; image extensions only. */
  readonly waiter: StepProgram;
  readonly turn: TurnProgram;
}

/** What the builder image's config says (spec 03 §1.3). */
export interface BuilderImage {
  /** The reference as resolved: a tag stays a tag. */
  readonly image: string;
  readonly stackId: string;
  /** `stack.runImage.image` of the builder metadata; the Build's own run image goes first. */
  readonly runImage: string;
  /** Deprecated ones, then supported ones, in the spelling of the label. */
  readonly platformApis: readonly string[];
  readonly uid: number;
  readonly gid: number;
  /** It orders image extensions: the pod then has their steps, which run as root. */
  readonly hasExtensions?: boolean;
}

/** A Secret of the ServiceAccount as the pod sees it: what decides volumes and flags, never its data. */
export interface BuildSecret {
  readonly name: string;
  readonly type: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** Its data key `cosign.key` is non-empty. */
  readonly signsImages: boolean;
}

/** A service binding or a legacy CNB binding, resolved to names (spec 03 §1.2). */
export type Binding =
  | { readonly kind: 'service'; readonly name: string; readonly secret: string | undefined }
  | { readonly kind: 'cnb'; readonly name: string; readonly metadata: string; readonly secret: string | undefined };

/** Init containers, one after another, as in kpack; or regular ones that start at once and wait for each other. */
export type BuildSteps = 'sequential' | 'parallel';

export interface PodSettings {
  /** Upper bound for `CNB_PLATFORM_API`, for example `0.8`; absent means none. */
  readonly maximumPlatformApi?: string | undefined;
  /** Accept ssh hosts whose key is not listed in the Secret's known_hosts. */
  readonly trustUnknownSshHosts: boolean;
  /** Start all steps at once, when the pod is complete, for clusters that inject sidecars (spec 03 §9). */
  readonly injectedSidecars: boolean;
  /** How steps follow each other where the Build does not say it itself; absent: `sequential`. */
  readonly buildSteps?: BuildSteps;
  /** Most that each directory shared by steps may hold, as a quantity: `4Gi`; absent means none. */
  readonly emptyDirLimit?: string | undefined;
  /** Builders with image extensions are refused: no step shall run as root. */
  readonly refuseExtensions?: boolean;
}

export interface PodContext {
  readonly programs: StepPrograms;
  readonly builder: BuilderImage;
  /** The ServiceAccount's secrets in its order, duplicates dropped; an ignored one still consumes its index. */
  readonly secrets: readonly BuildSecret[];
  /** Names of the ServiceAccount's imagePullSecrets that are not among `secrets`. */
  readonly pullSecrets: readonly string[];
  readonly bindings: readonly Binding[];
  readonly settings: PodSettings;
  /** The image that would be rebased is no longer in the registry, or may not be rebased: build from source instead, which kpack's rebase fails at for ever. */
  readonly lastImageIsGone?: boolean;
  /** The namespace refuses pods whose steps start at once. */
  readonly isSequential?: boolean;
  /** When the pod is generated: the value of `creationTime: now`. */
  readonly now: Date;
}
