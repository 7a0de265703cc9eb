/** How AWS is asked: where, and as whom. */

/** Options of every client of the SDK. */
export interface ClientOptions {
  readonly region?: string;
  readonly profile?: string;
  readonly maxAttempts: number;
}

/** Options for a region and a profile of the AWS configuration; what the environment says without. */
export const clientOptions = ({
  region,
  profile,
}: {
  readonly region?: string | undefined;
  readonly profile?: string | undefined;
}): ClientOptions => ({
  ...(region !== undefined && { region }),
  ...(profile !== undefined && { profile }),
  maxAttempts: 4,
});
