/** An app and a run image in a fake registry, and a rebase of the one onto the other. */
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { openRegistry } from '../../../lib/oci/client.ts';
import { rebaseImage } from '../../../lib/oci/rebase.ts';
import { parseReference, printReference, type Reference, type TagReference } from '../../../lib/oci/reference.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';
import { someTag } from '../../support/registry-suite.ts';
import { type AnImage, storeImage } from '../../support/stored-image.ts';

export const registry = openRegistry({ retry: { firstWaitMs: 1 } });
export const stack = { 'io.buildpacks.stack.id': 'some.stack' };

/** Registers the registry with the suite that calls it; each test has other tags. */
export const rebaseWorld = () => {
  let fake: FakeRegistry;
  let tag: TagReference;
  let run: Reference;
  beforeAll(async () => {
    fake = await startFakeRegistry();
  });
  afterAll(() => fake.close());
  beforeEach(() => {
    tag = someTag(fake.host);
    run = someTag(fake.host);
  });
  return {
    get fake() {
      return fake;
    },
    get tag() {
      return tag;
    },
    get run() {
      return run;
    },
    store: (appImage: AnImage, runImage: AnImage): void => {
      storeImage(fake.store, tag, appImage);
      storeImage(fake.store, parseReference(printReference(run)), runImage);
    },
    rebase: (tags: readonly TagReference[] = [tag]) =>
      rebaseImage({ tags: registry, app: registry, runImage: registry }, { app: tag, runImage: run, tags }),
  };
};
