/** Whom git trusts over TLS: it looks at variables of its own alone, so it is told what every other program of the pod goes by (lib/egress/trust.ts). */
import { existsSync } from 'node:fs';

/** Variables for git. Its own, where they are given, go before; a file or folder that is not there would make it fail and is left out. */
export function gitTrust(env: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  const places = {
    GIT_SSL_CAINFO: env['GIT_SSL_CAINFO'] || env['SSL_CERT_FILE'],
    // git takes one folder.
    GIT_SSL_CAPATH: env['GIT_SSL_CAPATH'] || env['SSL_CERT_DIR']?.split(':').find((folder) => existsSync(folder)),
  };
  return Object.fromEntries(
    Object.entries(places).flatMap(([name, place]) =>
      place !== undefined && existsSync(place) ? [[name, place]] : [],
    ),
  );
}
