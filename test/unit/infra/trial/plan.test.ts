/** A trial on a real account: what it made is taken away, whatever became of it. */
import { describe, expect, it } from 'vitest';
import { shownCommand, take, trialSteps } from '../../../../infra/trial/plan.ts';

const steps = trialSteps({
  stage: 'trial',
  region: 'eu-west-1',
  eks: 'my cluster',
  context: 'admin@eks',
  relayImage: '1.dkr.ecr.eu-west-1.amazonaws.com/kpackless/relay@sha256:1',
  image: 'image.yaml',
});

describe('a trial on AWS', () => {
  it('deploys, looks, lets a cluster in, builds, and takes everything away in the other order', () => {
    expect(steps.map(({ command }) => shownCommand(command))).toStrictEqual([
      'npm run deploy -- --stage trial',
      'npx kpackless doctor --stage trial --region eu-west-1',
      "npx kpackless cluster add trial --eks 'my cluster' --relay-image 1.dkr.ecr.eu-west-1.amazonaws.com/kpackless/relay@sha256:1 --tenant-everywhere --stage trial --region eu-west-1 --context admin@eks",
      'kubectl --context admin@eks rollout status -n kpack deployment/kpackless-relay --timeout 5m',
      'npx kpackless cluster check trial --stage trial --region eu-west-1',
      'kubectl --context admin@eks apply -f image.yaml',
      'kubectl --context admin@eks wait --for condition=Ready --timeout 20m images.kpack.io --all -A',
      'npx kpackless status --stage trial --region eu-west-1',
      'kubectl --context admin@eks delete --ignore-not-found -f image.yaml',
      'kubectl --context admin@eks delete --ignore-not-found -n kpack deployment/kpackless-relay',
      'npx kpackless cluster remove trial --stage trial --region eu-west-1',
      'npm run remove -- --stage trial',
    ]);
  });

  it.each(steps.filter(({ undoes }) => undoes !== true).map(({ what }) => [what]))(
    'that fails when "%s" goes no further, and undoes all it may have done',
    async (what) => {
      const ran: string[] = [];
      const done = await take(steps, async (step) => {
        ran.push(step.what);
        return step.what !== what;
      });
      const at = steps.findIndex((step) => step.what === what);
      const undoing = steps.filter(({ undoes }) => undoes === true).map((step) => step.what);
      const before = steps.slice(0, at + 1).map((step) => step.what);
      expect(ran).toStrictEqual([...before, ...undoing]);
      expect(done.filter(({ outcome }) => outcome === 'failed').map(({ step }) => step.what)).toStrictEqual([what]);
      expect(done.filter(({ outcome }) => outcome === 'left out')).toHaveLength(8 - at - 1);
    },
  );

  it('goes on undoing when that fails', async () => {
    const done = await take(steps, async ({ undoes }) => undoes !== true);
    expect(done.map(({ outcome }) => outcome)).toStrictEqual([
      ...Array.from({ length: 8 }, () => 'well'),
      ...Array.from({ length: 4 }, () => 'failed'),
    ]);
  });
});
