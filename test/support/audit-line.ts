/** What one line of an API server's audit log says. */

/** One answered request. Times are milliseconds since 1970, with fractions. */
export interface AuditedRequest {
  readonly user: string;
  readonly verb: string;
  /** `images`, `images/status`. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly code: number;
  readonly receivedAt: number;
  readonly answeredAt: number;
}

interface Line {
  readonly verb: string;
  readonly user?: { readonly username?: string };
  readonly objectRef?: {
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number };
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
}

/** `2026-11-21T12:00:00.123456Z`: Date keeps only three digits. */
const millisecondsOf = (timestamp: string): number =>
  Date.parse(timestamp) + Number(`0.${/\.\d{3}(\d{1,3})/.exec(timestamp)?.[1] ?? '0'}`);

/** The request of a line. */
export const requestOf = (text: string): AuditedRequest => {
  const {
    verb,
    user,
    objectRef = {},
    responseStatus,
    requestReceivedTimestamp,
    stageTimestamp,
  } = JSON.parse(text) as Line;
  const { resource = '', subresource, namespace = '', name = '' } = objectRef;
  return {
    user: user?.username ?? '',
    verb,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    namespace,
    name,
    code: responseStatus?.code ?? 0,
    receivedAt: millisecondsOf(requestReceivedTimestamp),
    answeredAt: millisecondsOf(stageTimestamp),
  };
};
