/** Connections through the proxies of the environment, but for hosts that it excepts. */
import type { AgentOptions } from 'node:http';
import { PermanentError } from '../errors/expected.ts';
import type { NodeFetch } from './fetch.ts';
import { noProxyRule } from './no-proxy.ts';

/** Are connections made through proxies of the environment? Node's own switch, for the platform's fetch as well. */
export const isProxied = (): boolean => process.env['NODE_USE_ENV_PROXY'] === '1';

const proxyVariables = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'] as const;

/**
 * The proxies of an environment as Node reads them. It passes over what it does not speak, and connects directly; so a host and port without a scheme are
 * given `http://`, as in curl and Go. Values may hold passwords and are not quoted.
 * @throws PermanentError for a proxy of another scheme, such as SOCKS
 */
export const proxiesIn = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv => {
  const proxies = proxyVariables.flatMap((name) => {
    const value = environment[name]?.trim() ?? '';
    if (value === '') return [];
    const url = value.includes('://') ? value : `http://${value}`;
    if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return [[name, url] as const];
    throw new PermanentError(
      'ProxyNotSpoken',
      `${name} names no proxy that can be spoken to: write http://HOST:PORT or https://HOST:PORT`,
    );
  });
  return Object.fromEntries(proxies);
};

/** A fetch over what `make` makes of options for agents. The environment is read once, here. */
export const proxying = (make: (options: AgentOptions) => NodeFetch): NodeFetch => {
  const direct = make({});
  if (!isProxied()) return direct;
  const { NO_PROXY, no_proxy: list } = process.env;
  // What is empty says nothing, in curl and in Go.
  const isExcepted = noProxyRule(list || NO_PROXY || '');
  const proxied = make({ proxyEnv: proxiesIn(process.env) });
  return (url, init) => (isExcepted(url) ? direct : proxied)(url, init);
};
