import { trustGivenCertificates } from '../../../lib/egress/trust.ts';
import { prepare } from '../../../lib/steps/prepare/prepare.ts';
import { runStep } from '../../../lib/steps/step.ts';

void runStep(async (step) => {
  // Before anything of it speaks TLS: the SDK of AWS and the platform's fetch do so by themselves.
  trustGivenCertificates(process.env, { system: true });
  await prepare(step);
  return 0;
});
