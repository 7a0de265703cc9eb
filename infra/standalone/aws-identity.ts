/** Who this machine is on AWS, for clusters of EKS, ECR and buckets. The SDK is loaded when somebody asks, which few ever do. */
import type { AwsIdentity } from '../../functions/adapters.ts';

/** A client only for its chain of credentials and regions. */
const chain = async () => {
  const { SQSClient } = await import('@aws-sdk/client-sqs');
  return new SQSClient({}).config;
};

/** From the environment, files or the machine's role, as the SDK looks for them. */
export const awsIdentity: AwsIdentity = {
  region: async () => (await chain()).region(),
  credentials: async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = await (await chain()).credentials();
    return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
  },
};
