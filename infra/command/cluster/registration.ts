/** What the command line says of a registration beside the way into the cluster: grants, rate, the relay's role. */
import { grantForm, parseGrant } from '../../../lib/clusters/grant-text.ts';
import { PermanentError } from '../../../lib/errors/expected.ts';
import type { Registration } from '../../../lib/state/clusters.ts';

/** Options that all ways of adding a cluster have. */
export interface TrustOptions {
  readonly grant?: readonly string[];
  readonly requestsPerSecond?: string;
  readonly burst?: string;
  readonly relayRoleId?: string;
}

const mostGrants = 200;

const invalid = (why: string): PermanentError => new PermanentError('Usage', why);

/** The name of a cluster: part of keys and messages. @throws PermanentError */
export const clusterName = (name: string): string => {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name))
    throw invalid(`${name} is no name for a cluster: letters, digits, dot, dash, underscore, at most 100`);
  return name;
};

/** A whole number from 1 to 100,000, as somebody typed it; undefined when it is none. */
const countIn = (given: string): number | undefined => {
  const count = /^\d{1,6}$/.test(given) ? Number(given) : 0;
  return count >= 1 && count <= 100_000 ? count : undefined;
};

/** The rate that each process may ask the cluster at; as many at once as in a second unless it is said. @throws PermanentError */
const rateIn = ({ requestsPerSecond, burst }: TrustOptions): Registration['rate'] => {
  if (requestsPerSecond === undefined && burst !== undefined) throw invalid('--burst goes with --requests-per-second');
  if (requestsPerSecond === undefined) return undefined;
  const [perSecond, atOnce] = [countIn(requestsPerSecond), countIn(burst ?? requestsPerSecond)];
  if (perSecond === undefined || atOnce === undefined)
    throw invalid('--requests-per-second and --burst are whole numbers from 1 to 100000');
  return { perSecond, burst: atOnce };
};

/** Grants, rate and role, as a registration has them; what is not said stays as `before` has it. @throws PermanentError */
export const trustIn = (
  options: TrustOptions,
  before?: Registration,
): Pick<Registration, 'grants' | 'rate' | 'relayRoleId'> => {
  const { grant, relayRoleId = before?.relayRoleId } = options;
  if ((grant?.length ?? 0) > mostGrants) throw invalid(`--grant is taken ${mostGrants} times at most`);
  if (relayRoleId !== undefined && !/^AROA[A-Z0-9]{12,124}$/.test(relayRoleId))
    throw invalid(`${relayRoleId} is no unique id of a role (AROA…)`);
  // One empty grant takes all of them away.
  const words = grant?.filter((text) => text !== '');
  const grants = words === undefined ? before?.grants : words.map(parseGrant);
  const rate = rateIn(options) ?? before?.rate;
  return {
    ...(grants !== undefined && grants.length > 0 && { grants }),
    ...(rate !== undefined && { rate }),
    ...(relayRoleId !== undefined && { relayRoleId }),
  };
};

/** @throws PermanentError when it is no ARN of a role */
export const roleArnIn = (arn: string): string => {
  if (!/^arn:aws[a-z-]*:iam::\d{12}:role\/\S+$/.test(arn)) throw invalid(`${arn} is no ARN of a role`);
  return arn;
};

/** @throws PermanentError when it is no address that a token may be sent to */
export const serverIn = (server: string): string => {
  if (!URL.canParse(server) || new URL(server).protocol !== 'https:') throw invalid(`${server} is no https address`);
  return server;
};

/** @throws PermanentError when it is no certificate in base64 */
export const caDataIn = (caData: string): string => {
  if (!Buffer.from(caData, 'base64').toString().includes('BEGIN CERTIFICATE'))
    throw invalid('--ca-data is no certificate in base64');
  return caData;
};

/** For help texts. */
export const grantHelp = `what its objects may use in registries, once for each: ${grantForm}; an empty one takes all away`;
