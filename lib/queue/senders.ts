/**
 * Who may speak for a cluster. SQS stamps each message with the principal that sent it, which no sender can choose; what stands in the
 * body any sender can. A stolen relay of one cluster is thus not every cluster (DESIGN §3.26).
 */

/** Whether a message that `senderId` sent may wake objects of `cluster`. @throws StateError when the registration cannot be read */
export type MayWake = (cluster: string, senderId: string) => Promise<boolean>;

/** What the answer rests on. */
export interface SenderPorts {
  /** Unique ids of the installation's own roles, which speak for every cluster; `any` where queues are in one process with their senders. */
  readonly own: 'any' | readonly string[];
  /** Unique id of the role of the cluster's relay, as registered; undefined when there is none. */
  readonly relayRoleId: (cluster: string) => Promise<string | undefined>;
}

/** The role behind a sender: `AROA…:session` is a session of role `AROA…` (SQS, `SenderId` of a message). */
const principalOf = (senderId: string): string => {
  const colon = senderId.indexOf(':');
  return colon < 0 ? senderId : senderId.slice(0, colon);
};

/** The rule. */
export const mayWake =
  ({ own, relayRoleId }: SenderPorts): MayWake =>
  async (cluster, senderId) => {
    if (own === 'any') return true;
    const principal = principalOf(senderId);
    if (principal === '') return false;
    return own.includes(principal) || (await relayRoleId(cluster)) === principal;
  };
