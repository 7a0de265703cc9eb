/** nginx on loopback before another server, as people put it before registries: it hides and forbids on the way. */
import { writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { whichProgram } from '../../infra/local/cluster/packages.ts';
import { runOracle } from './oracle-process.ts';

export interface Nginx {
  readonly host: string;
  /** Every request so far: `METHOD path status`, with ` +` behind it where a credential was shown. */
  readonly requests: () => Promise<readonly string[]>;
  readonly close: () => Promise<void>;
}

/** Absolute path of the program; undefined where it is not installed. */
export const nginxProgram = (): string | undefined => whichProgram('nginx');

/** Starts one before `upstream` (`host:port`); `rules` stand in the location of everything below `/v2/`, but for `/v2/` itself. */
export const startNginx = async (program: string, upstream: string, rules: string): Promise<Nginx> => {
  const folder = await mkdtemp(join(tmpdir(), 'kpackless-nginx-'));
  const log = join(folder, 'access.log');
  const handOn = `proxy_pass http://${upstream}; proxy_set_header Host $http_host; proxy_request_buffering off;`;
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  const running = await runOracle(program, (port) => {
    const config = `
      daemon off; master_process off; pid ${folder}/pid; error_log stderr error;
      events {}
      http {
        ${temporary.join(' ')}
        map $http_authorization $shown { default " +"; "" ""; }
        log_format requests "$request_method $uri $status$shown";
        access_log ${log} requests;
        client_max_body_size 0;
        server {
          listen 127.0.0.1:${port};
          location / { ${handOn} }
          location ~ ^/v2/. { ${rules} ${handOn} }
        }
      }`;
    writeFileSync(join(folder, 'nginx.conf'), config);
    return ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'];
  });
  return {
    host: new URL(running.endpoint).host,
    requests: async () => (await readFile(log, 'utf8')).trimEnd().split('\n'),
    close: async () => {
      await running.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
