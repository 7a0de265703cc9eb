/** The parts of an object that differ between the versions. */
import type { JsonObject } from './json.ts';

/** Annotations, spec and status; the rest of an object is the same in both versions. */
export interface Parts {
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: JsonObject;
  readonly status: JsonObject | undefined;
}

/** How kpack converts a kind (spec 01 §10), loss included: lib/conversion/remainder.ts carries what is lost. */
export interface KindConversion {
  /** From v1alpha2 to v1alpha1. */
  toOlder(parts: Parts): Parts;
  /** From v1alpha1 to v1alpha2. */
  toStored(parts: Parts): Parts;
}
