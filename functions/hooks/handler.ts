/** Takes push hooks of git hosts, behind a function URL. */
import type { Context } from 'aws-lambda';
import { hookAnswerer } from '../../lib/hooks/answer.ts';
import { requestIn, resultFrom, type UrlEvent } from '../../lib/hooks/function-url.ts';
import { parameterSecrets } from '../../lib/hooks/secret-parameter.ts';
import { secretsIn } from '../../lib/hooks/secrets.ts';
import { Polls } from '../../lib/state/polls.ts';
import { within } from '../invocation.ts';
import { ports } from '../ports.ts';

const { aws, table, sender, clock, log, metrics } = ports;

/** Standalone mode is told the secrets themselves, AWS the name of the parameter that holds them. */
const parameter = process.env['KPACKLESS_HOOK_SECRET_PARAMETER'] ?? '';
const given = secretsIn(process.env['KPACKLESS_HOOK_SECRET'] ?? '');
const secrets =
  given.length > 0 || parameter === ''
    ? () => Promise.resolve(given)
    : parameterSecrets({
        name: parameter,
        region: aws.region,
        credentials: aws.credentials,
        clock,
      });

const answer = hookAnswerer({ polls: new Polls(table), sender, secrets, clock, log });

export const handler = (event: UrlEvent, context: Partial<Pick<Context, 'awsRequestId'>> = {}) =>
  within(context, metrics, async () => resultFrom(await answer(requestIn(event))));
