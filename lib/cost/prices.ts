/** List prices of AWS, us-east-1, in US dollars. Another region costs up to a third more. */

/** When the table was put together. */
export const pricesOf = '2026-11-20';

/** A price list. Per million where it says so. */
export interface Prices {
  readonly lambdaRequestsPerMillion: number;
  /** arm64. */
  readonly lambdaGbSecond: number;
  readonly fifoRequestsPerMillion: number;
  readonly storeWritesPerMillion: number;
  /** Consistent reads; others cost half. */
  readonly storeReadsPerMillion: number;
  readonly storeGbMonth: number;
  readonly logsGb: number;
  readonly alarmMonth: number;
  readonly keyMonth: number;
  /** A custom metric that is sent in every hour; of the first ten thousand. */
  readonly metricMonth: number;
  /** A pod of 0.25 vCPU and 0.5 GB on EKS Fargate, which rounds it to 1 GB. */
  readonly fargatePodMonth: number;
  /** 0.25 vCPU and 0.5 GB of ECS on Fargate with arm64: one relay for many clusters. */
  readonly sharedRelayMonth: number;
}

/** What AWS gives to each account each month for nothing. */
export interface Free {
  readonly lambdaRequests: number;
  readonly lambdaGbSeconds: number;
  readonly queueRequests: number;
  readonly alarms: number;
}

/** From pages of AWS and others of 2024 to 2026, as collected in the project's notes; never compared with a bill. */
export const listPrices: Prices = {
  lambdaRequestsPerMillion: 0.2,
  lambdaGbSecond: 0.000_013_333_4,
  fifoRequestsPerMillion: 0.5,
  storeWritesPerMillion: 0.625,
  storeReadsPerMillion: 0.125,
  storeGbMonth: 0.25,
  logsGb: 0.5,
  alarmMonth: 0.1,
  keyMonth: 1,
  metricMonth: 0.3,
  fargatePodMonth: 10.63,
  sharedRelayMonth: 7.21,
};

/** Lambda, SQS and CloudWatch, "always free". */
export const freeTier: Free = {
  lambdaRequests: 1_000_000,
  lambdaGbSeconds: 400_000,
  queueRequests: 1_000_000,
  alarms: 10,
};
