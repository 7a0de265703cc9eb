/** AWS as `cluster add`, `cluster check`, `cluster remove` and `doctor` ask it: calls as data, in two accounts. */
import type { Side } from '../../lib/eks/step.ts';
import { ExpectedError } from '../../lib/errors/expected.ts';
import { networkCause } from '../../lib/errors/network-cause.ts';
import { clientOptions } from './client-options.ts';

/** Services that are asked. */
export type Service = 'cloudformation' | 'ecr' | 'eks' | 'iam' | 'lambda' | 'secrets-manager' | 'sts';

/** A call. */
export interface AwsCall {
  readonly service: Service;
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** AWS said no; `code` is its own word for why. */
export class AwsRefusal extends ExpectedError {
  override readonly name = 'AwsRefusal';
  readonly code: string;
  /** Of HTTP. */
  readonly status: number | undefined;

  constructor(call: AwsCall, error: Error) {
    super(`${call.service} ${call.operation}: ${networkCause(error)}`, { pace: 'slow', cause: error });
    this.code = error.name;
    this.status = (error as { readonly $metadata?: { readonly httpStatusCode?: number } }).$metadata?.httpStatusCode;
  }
}

/** Where and as whom each side is asked. */
export type Accounts = Readonly<
  Record<Side, { readonly region?: string | undefined; readonly profile?: string | undefined }>
>;

/** Both. */
export interface Aws extends AsyncDisposable {
  /** @throws AwsRefusal; ExpectedError when there is no answer */
  call(side: Side, call: AwsCall): Promise<unknown>;
  /** @throws ExpectedError when none is set */
  region(side: Side): Promise<string>;
}

const deadlineMilliseconds = 20_000;

/** What a client of the SDK is, as far as it is used here. */
interface SdkClient {
  send(command: object, options: { readonly abortSignal: AbortSignal }): Promise<unknown>;
  destroy(): void;
  readonly config: { readonly region: () => Promise<string> };
}
type SdkModule = Readonly<Record<string, new (input: object) => object>>;

/** The SDK's package of each service and its client: each is loaded when it is first asked. */
const modules: Readonly<Record<Service, { readonly client: string; readonly load: () => Promise<object> }>> = {
  cloudformation: { client: 'CloudFormationClient', load: () => import('@aws-sdk/client-cloudformation') },
  ecr: { client: 'ECRClient', load: () => import('@aws-sdk/client-ecr') },
  eks: { client: 'EKSClient', load: () => import('@aws-sdk/client-eks') },
  iam: { client: 'IAMClient', load: () => import('@aws-sdk/client-iam') },
  lambda: { client: 'LambdaClient', load: () => import('@aws-sdk/client-lambda') },
  'secrets-manager': { client: 'SecretsManagerClient', load: () => import('@aws-sdk/client-secrets-manager') },
  sts: { client: 'STSClient', load: () => import('@aws-sdk/client-sts') },
};

/** AWS itself. */
export const awsOf = (accounts: Accounts): Aws => {
  const clients = new Map<string, SdkClient>();

  const clientOf = async (side: Side, service: Service): Promise<{ client: SdkClient; sdk: SdkModule }> => {
    const { client: name, load } = modules[service];
    const sdk = (await load()) as SdkModule;
    const key = `${side} ${service}`;
    const Client = sdk[name];
    if (Client === undefined) throw new Error(`the SDK has no ${name}`);
    const client = clients.get(key) ?? (new Client(clientOptions(accounts[side])) as SdkClient);
    clients.set(key, client);
    return { client, sdk };
  };

  return {
    call: async (side, call) => {
      const { client, sdk } = await clientOf(side, call.service);
      const SdkCommand = sdk[`${call.operation}Command`];
      if (SdkCommand === undefined) throw new Error(`the SDK has no ${call.operation} of ${call.service}`);
      try {
        return await client.send(new SdkCommand(call.input), {
          abortSignal: AbortSignal.timeout(deadlineMilliseconds),
        });
      } catch (error) {
        if (error instanceof Error && '$metadata' in error && error.name !== 'TimeoutError')
          throw new AwsRefusal(call, error);
        throw new ExpectedError(
          `${call.service} ${call.operation} as ${accounts[side].profile ?? 'the environment says'}: ${networkCause(error)}`,
          { cause: error },
        );
      }
    },
    region: async (side) => {
      const { client } = await clientOf(side, 'sts');
      try {
        return await client.config.region();
      } catch (error) {
        throw new ExpectedError('no region is set: give --region', { cause: error });
      }
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of clients.values()) client.destroy();
    },
  };
};
