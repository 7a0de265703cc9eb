/** Connections through the proxies of the environment, but for hosts that it excepts. */
import type { AgentOptions } from 'node:http';
import type { NodeFetch } from './fetch.ts';
import { noProxyRule } from './no-proxy.ts';

/** Are connections made through proxies of the environment? Node's own switch, for the platform's fetch as well. */
export const isProxied = (): boolean => process.env['NODE_USE_ENV_PROXY'] === '1';

/** A fetch over what `make` makes of options for agents. The environment is read once, here. */
export const proxying = (make: (options: AgentOptions) => NodeFetch): NodeFetch => {
  const direct = make({});
  if (!isProxied()) return direct;
  const { NO_PROXY, no_proxy: list, ...environment } = process.env;
  // What is empty says nothing, in curl and in Go.
  const isExcepted = noProxyRule(list || NO_PROXY || '');
  const proxied = make({ proxyEnv: environment });
  return (url, init) => (isExcepted(url) ? direct : proxied)(url, init);
};
