import { trustGivenCertificates } from '../../../lib/egress/trust.ts';
import { PermanentError } from '../../../lib/errors/expected.ts';
import { rebase } from '../../../lib/steps/rebase/rebase.ts';
import { failureText, runStep } from '../../../lib/steps/step.ts';

void runStep(async (step) => {
  // Before anything of it speaks TLS: the SDK of AWS and the platform's fetch do so by themselves.
  trustGivenCertificates(process.env, { system: true });
  try {
    await rebase(step);
    return 0;
  } catch (error) {
    if (!(error instanceof PermanentError) || error.reason !== 'NoTags') throw error;
    step.log(failureText(error));
    return 3;
  }
});
