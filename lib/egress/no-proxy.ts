/**
 * Which hosts `NO_PROXY` excepts from proxies, as Go reads it (golang.org/x/net/http/httpproxy), and curl where that differs only by more: Node's own
 * reading knows no ranges. One list then means one thing for git, for the lifecycle, and for programs of ours.
 */
import { domainToASCII } from 'node:url';
import { type Address, bitsOf, parseAddress, reachedBy } from './address.ts';
import { holds, parseCidr } from './cidr.ts';

/** Is the host of this URL reached without a proxy? */
export type NoProxy = (url: URL) => boolean;

interface Host {
  /** Lower case, without brackets and final dot. */
  readonly name: string;
  readonly address: Address | undefined;
  readonly port: string;
}

type Rule = (host: Host) => boolean;

/**
 * The rule of a list with commas or blanks between its entries: `*`, an address, a range (`10.0.0.0/8`, `fd00::/8`), `example.com` for itself and all
 * below it, `.example.com` or `*.example.com` for all below it. A port behind a name or an address (`[::1]:5000`) makes it that port's alone.
 * `localhost` and addresses of the loopback are always excepted, as in Go.
 */
export const noProxyRule = (list: string): NoProxy => {
  const rules = list
    .toLowerCase()
    .split(/[\s,]+/u)
    .filter((entry) => entry !== '')
    .map(ruleOf);
  return (url) => {
    const host = hostOf(url);
    return isOwn(host) || rules.some((rule) => rule(host));
  };
};

const loopback = ['127.0.0.0/8', '::1'].map(parseCidr);

/** A proxy's loopback is another one: whoever names it means the machine that asks, in any list and in none. */
const isOwn = ({ name, address }: Host): boolean =>
  name === 'localhost' || (address !== undefined && loopback.some((range) => holds(range, address)));

const hostOf = ({ hostname, port, protocol }: URL): Host => {
  const name = hostname.replace(/^\[(.*)\]$/u, '$1').replace(/\.$/u, '');
  return { name, address: addressIn(name), port: port || (protocol === 'https:' ? '443' : '80') };
};

/** An IPv4 address that is written as IPv6 is that IPv4 address. */
const addressIn = (text: string): Address | undefined => {
  const address = parseAddress(text);
  return address === undefined ? undefined : reachedBy(address)[0];
};

const ruleOf = (entry: string): Rule => {
  if (entry === '*') return () => true;
  const range = rangeIn(entry);
  if (range !== undefined) return ({ address }) => address !== undefined && holds(range, address);
  const { host, port } = splitPort(entry);
  const isPort = (asked: string): boolean => port === '' || port === asked;
  const address = addressIn(host);
  if (address !== undefined) {
    const exact = { ...address, prefix: bitsOf(address.family) };
    return (asked) => asked.address !== undefined && holds(exact, asked.address) && isPort(asked.port);
  }
  const below = belowName(host);
  if (below === '') return () => false;
  const isItselfIn = !/^(?:\*?\.)/u.test(host);
  return ({ name, port: asked }) => isPort(asked) && `.${name}`.endsWith(below) && (isItselfIn || `.${name}` !== below);
};

/** What every name below it ends with, in the form that URLs have; empty for what is no name. */
const belowName = (host: string): string => {
  const bare = host.replace(/^\*?\./u, '').replace(/\.$/u, '');
  // A URL or a path is no name, whatever could be taken out of it.
  if (/[/?#@\\]/u.test(bare)) return '';
  const ascii = domainToASCII(bare) || bare;
  return ascii === '' ? '' : `.${ascii}`;
};

const rangeIn = (entry: string) => {
  const [, base = '', length = ''] = /^([\da-f.:]+)\/(\d{1,3})$/u.exec(entry) ?? [];
  const address = parseAddress(base);
  if (address === undefined || Number(length) > bitsOf(address.family)) return undefined;
  const [reached = address] = reachedBy(address);
  // IPv4 written as IPv6, whose first 96 bits say only that.
  const prefix = Number(length) - (reached.family === address.family ? 0 : mappedPrefix);
  return prefix < 0 ? { ...address, prefix: Number(length) } : { ...reached, prefix };
};

const mappedPrefix = 96;

/** `host`, `host:port`, `[address]:port`; an IPv6 address without brackets has no port. */
const splitPort = (entry: string): { readonly host: string; readonly port: string } => {
  const bracketed = /^\[([^\]]*)\](?::(\d*))?$/u.exec(entry);
  if (bracketed !== null) return { host: bracketed[1] ?? '', port: bracketed[2] ?? '' };
  const named = /^([^:]*):(\d*)$/u.exec(entry);
  return named === null ? { host: entry, port: '' } : { host: named[1] ?? '', port: named[2] ?? '' };
};
