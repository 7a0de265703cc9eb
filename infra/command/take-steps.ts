/** Takes the steps of a plan one after the other. Dying in between leaves what the next run finds and goes on from. */
import { type AwsRequest, filledIn, type Side, type Step, textAt } from '../../lib/eks/step.ts';
import { type Aws, AwsRefusal } from './aws.ts';
import type { Tell } from './output.ts';

/** What became of a step. */
export type Taken = 'done' | 'was there';

/** A step that was taken. */
export interface TakenStep {
  readonly side: Side;
  readonly what: string;
  readonly operation: string;
  readonly taken: Taken;
}

/** A role that was just made is not known everywhere for some seconds, and these are the words for it. */
const passing: ReadonlySet<string> = new Set([
  'InvalidParameterException',
  'InvalidParameterValueException',
  'InvalidRequestException',
  'MalformedPolicyDocument',
  'MalformedPolicyDocumentException',
]);
const triesUntilKnown = 6;
const pauseMilliseconds = 4000;

/** Takes them; gives what was taken, and what answers said. @throws AwsRefusal of the first that fails */
export const takeSteps = async (
  aws: Aws,
  steps: readonly Step[],
  tell: Tell,
  sleep: (milliseconds: number) => Promise<unknown>,
): Promise<{ readonly taken: readonly TakenStep[]; readonly said: Readonly<Record<string, string>> }> => {
  const said: Record<string, string> = {};
  const taken: TakenStep[] = [];

  const note = (step: Step, answer: unknown): void => {
    for (const [name, path] of Object.entries(step.says ?? {})) {
      const text = textAt(answer, path);
      if (text !== undefined) said[name] = text;
    }
  };
  const ask = async (step: Step, { service, operation, input }: AwsRequest): Promise<void> => {
    for (let attempt = 1; ; attempt += 1)
      try {
        note(step, await aws.call(step.side, { service, operation, input: filledIn(input, said) }));
        return;
      } catch (error) {
        if (!(error instanceof AwsRefusal) || !passing.has(error.code) || attempt >= triesUntilKnown) throw error;
        tell(`${step.what}: AWS does not know yet what was just made`);
        await sleep(pauseMilliseconds);
      }
  };

  for (const step of steps) {
    tell(step.what);
    let how: Taken = 'done';
    try {
      await ask(step, step);
    } catch (error) {
      if (!(error instanceof AwsRefusal) || step.thereCodes?.includes(error.code) !== true) throw error;
      how = 'was there';
      for (const request of step.ifThere ?? []) await ask(step, request);
    }
    taken.push({ side: step.side, what: step.what, operation: step.operation, taken: how });
  }
  return { taken, said };
};
