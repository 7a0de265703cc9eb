/** Failed Builds that kpack would not try again are noted, so that the move starts none of them (docs/migration.md). */
import { leftWithBuilderAnnotation } from '../../../lib/api/labels.ts';
import { keyOf, patchFor } from '../../../lib/kube/object.ts';
import type { LiveDefinition } from '../../../lib/migration/definitions.ts';
import { isOurDefinition } from '../../crds/whose-cluster.ts';
import { definitionKey } from './definitions.ts';
import { allObjects, imagesAfterMove } from './look-objects.ts';
import type { MoveStep } from './steps.ts';

/** The step. After webhooks are gone, which would refuse some of these writes; and only while Builds are kpack's: later failures are ours to repeat. */
export const leaveFailures: MoveStep = {
  what: 'failed Builds that kpack would not try again are noted',
  byHand: ['# only migrate run does this; without, each such Image is built once: kpackless migrate check names them'],
  take: async (move, tell) => {
    const definition = await move.client.get<LiveDefinition>(definitionKey('Build'));
    if (definition === undefined || isOurDefinition(definition)) return 'they were noted before';
    let noted = 0;
    for (const { left } of imagesAfterMove(await allObjects(move, tell), move.clock())) {
      if (left === undefined) continue;
      const { build, builder } = left;
      const annotations = { [leftWithBuilderAnnotation]: builder };
      await move.client.patch(keyOf(build, 'Build'), patchFor(build.metadata.uid ?? '', { metadata: { annotations } }));
      noted += 1;
    }
    return noted === 0 ? 'there are none' : `${noted} are left until their builder changes again`;
  },
};
