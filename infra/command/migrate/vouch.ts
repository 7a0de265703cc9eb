/** The pods of Builds that run are listed, so that kpackless goes on with them: it believes no pod that it did not make. */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../../../lib/api/build.ts';
import { buildPodName } from '../../../lib/api/names.ts';
import { isFinished } from '../../../lib/builds/is-finished.ts';
import { takenOverList } from '../../../lib/builds/taken-over.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import type { LiveDefinition } from '../../../lib/migration/definitions.ts';
import { isOurDefinition } from '../../crds/whose-cluster.ts';
import { definitionKey } from './definitions.ts';
import { pagesOf } from './pages.ts';
import type { MoveStep } from './steps.ts';

/** The step. Only while Builds are kpack's: later somebody else may have made the pods. */
export const vouchForPods: MoveStep = {
  what: 'pods of Builds that run are listed',
  byHand: ['# only migrate run does this; by hand, wait until no Build runs: kubectl get builds.kpack.io -A'],
  take: async ({ client, transport }, tell) => {
    const definition = await client.get<LiveDefinition>(definitionKey('Build'));
    if (definition === undefined || isOurDefinition(definition)) return 'they were listed before';
    const running: (readonly [Build, Pod])[] = [];
    for await (const page of pagesOf(transport, 'Build'))
      for (const build of (page as readonly Build[]).filter((one) => !isFinished(one))) {
        const { name, namespace = '' } = build.metadata;
        const pod = await client.get<Pod & KubeObject>({ kind: 'Pod', namespace, name: buildPodName(name) });
        if (pod !== undefined) running.push([build, pod]);
        tell(`${running.length} pods`);
      }
    const list = takenOverList(running);
    await client.apply(list);
    const { length } = Object.keys(list.data ?? {});
    return length === 0 ? 'there are none' : `${length} are kpackless' from now on, as far as they are still the same`;
  },
};
