/** nginx on loopback before another server, as people put it before registries: it hides and forbids on the way. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startNginx, unusedPort } from './nginx.ts';

export interface NginxBefore {
  readonly host: string;
  /** Every request so far: `METHOD path status`, with ` +` behind it where a credential was shown. */
  readonly requests: () => Promise<readonly string[]>;
  readonly close: () => Promise<void>;
}

/** Starts one before `upstream` (`host:port`); `rules` stand in the location of everything below `/v2/`, but for `/v2/` itself. */
export const startNginxBefore = async (upstream: string, rules: string): Promise<NginxBefore> => {
  const folder = await mkdtemp(join(tmpdir(), 'kpackless-nginx-log-'));
  const log = join(folder, 'access.log');
  const handOn = `proxy_pass http://${upstream}; proxy_set_header Host $http_host; proxy_request_buffering off;`;
  const port = await unusedPort();
  const servers = `
    map $http_authorization $shown { default " +"; "" ""; }
    log_format requests "$request_method $uri $status$shown";
    client_max_body_size 0;
    server {
      access_log ${log} requests;
      listen 127.0.0.1:${port};
      location / { ${handOn} }
      location ~ ^/v2/. { ${rules} ${handOn} }
    }`;
  const nginx = await startNginx(servers, port);
  return {
    host: `127.0.0.1:${port}`,
    requests: async () => (await readFile(log, 'utf8')).trimEnd().split('\n'),
    close: async () => {
      await nginx[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
