/**
 * Who may speak for a cluster. SQS stamps each message with the principal that sent it, which no sender can choose; what stands in the
 * body any sender can. A stolen relay of one cluster is thus not every cluster (DESIGN §3.26).
 */
import type { SQSRecord } from 'aws-lambda';

/** What stands beside the body of a message that we have queued anew: who had sent it before us. */
export const firstSenderAttribute = 'firstSender';

/** Who sent a message. */
export interface SentBy {
  readonly senderId: string;
  /** Of one that was queued anew, who had sent it first: our word for whose it is. From anybody else it means nothing. */
  readonly firstSender: string | undefined;
}

/** Who sent `record`, as SQS says and as it says itself. */
export const sentBy = ({ attributes, messageAttributes }: SQSRecord): SentBy => ({
  senderId: attributes.SenderId,
  firstSender: messageAttributes[firstSenderAttribute]?.stringValue,
});

/** Whether a message that was sent so may wake objects of `cluster`. @throws StateError when the registration cannot be read */
export type MayWake = (cluster: string, by: SentBy) => Promise<boolean>;

/** Unique ids of the installation's own roles, which speak for every cluster; `any` where queues are in one process with their senders. */
export type OwnSenders = 'any' | readonly string[];

/** What the answer rests on. */
export interface SenderPorts {
  readonly own: OwnSenders;
  /** Unique id of the role of the cluster's relay, as registered; undefined when there is none. */
  readonly relayRoleId: (cluster: string) => Promise<string | undefined>;
}

/** The role behind a sender: `AROA…:session` is a session of role `AROA…` (SQS, `SenderId` of a message). */
const principalOf = (senderId: string): string => {
  const colon = senderId.indexOf(':');
  return colon < 0 ? senderId : senderId.slice(0, colon);
};

/** Whose message it is: who sent it, or who had before one of ours queued it anew. Being queued anew makes no message ours. */
export const authorOf = (own: OwnSenders, { senderId, firstSender }: SentBy): string =>
  own !== 'any' && own.includes(principalOf(senderId)) ? (firstSender ?? senderId) : senderId;

/** The rule. */
export const mayWake =
  ({ own, relayRoleId }: SenderPorts): MayWake =>
  async (cluster, by) => {
    if (own === 'any') return true;
    const principal = principalOf(authorOf(own, by));
    if (principal === '') return false;
    return own.includes(principal) || (await relayRoleId(cluster)) === principal;
  };
