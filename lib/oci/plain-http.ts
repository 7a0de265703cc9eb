/** Which registries may be spoken to without TLS (spec 04 §9.2). */

const privateAddress =
  /^(?:127|10)\.\d{1,3}\.\d{1,3}\.\d{1,3}$|^192\.168\.\d{1,3}\.\d{1,3}$|^172\.(?:1[6-9]|2\d|3[01])\.\d{1,3}\.\d{1,3}$/;

/**
 * True for loopback and private addresses (127/8, ::1, 10/8, 172.16/12, 192.168/16), `localhost`, `*.localhost` and `*.local`: there https is
 * tried first and plain http allowed after. Everything else is https only. Matches whole hosts, so `127.0.0.1.example.com` does not pass.
 */
export const isPlainHttpAllowed = (registry: string): boolean => {
  const host = registry.replace(/:\d{1,5}$/, '').toLowerCase();
  return host === '[::1]' || host === 'localhost' || /\.local(?:host)?$/.test(host) || privateAddress.test(host);
};
