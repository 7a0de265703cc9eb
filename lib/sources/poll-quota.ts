/** What a SourceResolver says when its namespace has more of one repository than a shared poll serves (DESIGN §3.32). */
import type { GitUrl } from '../git/url.ts';
import type { Tenant } from '../state/keys.ts';
import { mostPollsAtPlace, mostRevisions } from '../state/polls.ts';

/** Why the poll does not tell of moves as it would, and whether it tells of them at all. */
export interface NotServed {
  readonly isPolled: boolean;
  readonly notServed: string;
}

/** The poll holds no more revisions. */
export const notPolled = ({ display }: GitUrl, { namespace }: Tenant): NotServed => ({
  isPolled: false,
  notServed: `namespace ${namespace} follows ${mostRevisions} other revisions of ${display}, which is as many as one poll holds; this one is looked at once a day: delete what is not needed, or name a commit`,
});

/** The poll lists, but push hooks wake as many others of the namespace. */
export const notHeard = ({ display }: GitUrl, { namespace }: Tenant): NotServed => ({
  isPolled: true,
  notServed: `push hooks do not hurry this poll: namespace ${namespace} has ${mostPollsAtPlace} others of ${display}, one for each Secret and interval; use fewer of them`,
});
