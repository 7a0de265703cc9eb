/** A grant as an operator writes it: `read|write PREFIX namespaces=a,b cluster-scoped role=ARN` (`kpackless cluster add … --grant '…'`). */
import { PermanentError } from '../errors/expected.ts';
import type { RegistryGrant } from '../state/clusters.ts';
import { printable } from '../text/printable.ts';
import { prefixOf } from './grants.ts';

/** Its form, for usage texts. */
export const grantForm = 'read|write REGISTRY[/PATH] [namespaces=A,B|namespaces=*] [cluster-scoped] [role=ARN]';

const namespacePattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** The functions' own policy lets them become these alone (infra/roles.yml). */
const rolePattern = /^arn:aws[a-z-]{0,20}:iam::\d{12}:role\/ecr-kpackless-[\w+=,.@-]{1,50}$/;
const mostNamespaces = 100;

/** Reads one grant. @throws PermanentError with one sentence */
export const parseGrant = (text: string): RegistryGrant => {
  const invalid = (why: string): PermanentError =>
    new PermanentError('Usage', `grant ${JSON.stringify(printable(text, 200))}: ${why}; its form is ${grantForm}`);
  const [access, prefix = '', ...rest] = text.split(' ').filter((word) => word !== '');
  if (access !== 'read' && access !== 'write') throw invalid('it begins with read or write');
  if (prefixOf(prefix) === undefined)
    throw invalid(
      'behind that comes a registry of ECR, 123456789012.dkr.ecr.REGION.amazonaws.com, perhaps with a path',
    );
  const seen = new Set<string>();
  let namespaces: readonly string[] = [];
  let clusterScoped = false;
  let roleArn: string | undefined;
  for (const word of rest) {
    const equals = word.indexOf('=');
    const name = equals < 0 ? word : word.slice(0, equals);
    const value = equals < 0 ? undefined : word.slice(equals + 1);
    if (seen.has(name)) throw invalid(`${name} is said twice`);
    seen.add(name);
    if (name === 'cluster-scoped' && value === undefined) clusterScoped = true;
    else if (name === 'role' && value !== undefined) roleArn = value;
    else if (name === 'namespaces' && value !== undefined) namespaces = value.split(',');
    else throw invalid(`${word} is not understood`);
  }
  const strange = namespaces.find((name) => name !== '*' && !namespacePattern.test(name));
  if (strange !== undefined) throw invalid(`${JSON.stringify(strange)} is no namespace`);
  if (namespaces.length > mostNamespaces) throw invalid(`at most ${mostNamespaces} namespaces are taken, or *`);
  if (namespaces.length === 0 && !clusterScoped) throw invalid('it says neither namespaces=… nor cluster-scoped');
  if (roleArn !== undefined && !rolePattern.test(roleArn))
    throw invalid(`${roleArn} is no ARN of a role whose name begins with ecr-kpackless-`);
  return { prefix, access, namespaces, clusterScoped, ...(roleArn !== undefined && { roleArn }) };
};

/** A grant as `parseGrant` reads it. */
export const printGrant = ({ access, prefix, namespaces, clusterScoped, roleArn }: RegistryGrant): string =>
  [
    access,
    prefix,
    ...(namespaces.length > 0 ? [`namespaces=${namespaces.join(',')}`] : []),
    ...(clusterScoped ? ['cluster-scoped'] : []),
    ...(roleArn === undefined ? [] : [`role=${roleArn}`]),
  ].join(' ');
