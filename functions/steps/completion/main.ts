import { trustGivenCertificates } from '../../../lib/egress/trust.ts';
import { complete } from '../../../lib/steps/completion/completion.ts';
import { runStep } from '../../../lib/steps/step.ts';

void runStep(
  async (step) => {
    // Before anything of it speaks TLS: the SDK of AWS and the platform's fetch do so by themselves.
    trustGivenCertificates(process.env, { system: true });
    await complete(step);
    return 0;
  },
  { output: process.stderr },
);
