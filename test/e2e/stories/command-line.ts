/** `npm start` with everything that can be wrong about its arguments and its cluster, and once with nothing wrong. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { buildNames, imageOf, podWhen } from '../observe.ts';
import { killRunningPrograms, type Program, startProgram } from '../processes.ts';
import type { Story } from '../story.ts';
import type { Suite } from '../suite.ts';

const healthPort = 8089;

const npmStart = ({ stateDir }: Suite, args: readonly string[]): Program =>
  startProgram('infra/local/main.ts', args, { XDG_STATE_HOME: join(stateDir, 'npm-start') });

/** A copy of the administrator's kubeconfig with other values. */
const kubeconfigWith = ({ stateDir, cluster }: Suite, name: string, change: (config: Kubeconfig) => void): string => {
  const config = JSON.parse(readFileSync(join(stateDir, 'kpackless.kubeconfig'), 'utf8')) as Kubeconfig;
  expect(cluster.kubeconfigPath).not.toBe('');
  change(config);
  const path = join(stateDir, `${name}.kubeconfig`);
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
  return path;
};

interface Kubeconfig {
  readonly clusters: readonly [{ readonly cluster: { server: string } }];
  readonly users: readonly [{ readonly user: { token: string } }];
}

/** Ends with 1 after one sentence on standard error. */
const refuses = async (suite: Suite, args: readonly string[]): Promise<string> => {
  const program = npmStart(suite, args);
  const code = await program.ended;
  const { stderr } = program.said();
  expect({ code, lines: stderr.trim().split('\n').length, stderr }).toEqual({ code: 1, lines: 1, stderr });
  expect(stderr).toMatch(/^npm start: /);
  return stderr.slice('npm start: '.length).trim();
};

const onGivenCluster = ({ cluster, registry }: Suite): readonly string[] => [
  '--kubeconfig',
  cluster.kubeconfigPath,
  '--registry',
  registry,
];

/** Touches nothing, so it needs no cluster for itself. */
export const refusals: Story = {
  begin: () => Promise.resolve(),

  tell: (the) => {
    describe('npm start', () => {
      const given = (): readonly string[] => onGivenCluster(the());

      describe('before it touches anything', { concurrent: true }, () => {
        it('explains itself', async () => {
          const program = npmStart(the(), ['--help']);
          expect(await program.ended).toBe(0);
          expect(program.said().stdout).toContain('--exit-when-ready');
          expect(program.said().stderr).toBe('');
        });

        it.each([
          [['--frobnicate'], /--frobnicate/],
          [['--context', 'x'], /--registry/],
          [['--registry', 'r:1'], /--registry goes with --kubeconfig or --context/],
          [['--kubeconfig', '', '--registry', 'r:1'], /--kubeconfig/],
          [['now'], /now/],
        ])('refuses %j', async (args, sentence) => {
          expect(await refuses(the(), args)).toMatch(sentence);
        });

        it('says which kubeconfig it cannot read', async () => {
          expect(await refuses(the(), ['--kubeconfig', '/no/such/file', '--registry', 'r:1'])).toMatch(
            /\/no\/such\/file/,
          );
        });

        it('says which contexts there are when the given one is not among them', async () => {
          expect(await refuses(the(), [...given(), '--context', 'elsewhere'])).toMatch(/no context elsewhere; it has /);
        });

        it('says which address does not answer', async () => {
          const unreachable = kubeconfigWith(the(), 'unreachable', ({ clusters }) => {
            clusters[0].cluster.server = 'https://127.0.0.1:1';
          });
          expect(await refuses(the(), ['--kubeconfig', unreachable, '--registry', the().registry])).toMatch(
            /127\.0\.0\.1:1/,
          );
        });

        it('says what it may not do', async () => {
          const { body } = await the().transport.send({
            method: 'POST',
            path: '/api/v1/namespaces/default/serviceaccounts/default/token',
            body: '{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}',
          });
          const { token } = (JSON.parse(body) as { status: { token: string } }).status;
          const powerless = kubeconfigWith(the(), 'powerless', ({ users }) => {
            users[0].user.token = token;
          });
          const said = await refuses(the(), ['--kubeconfig', powerless, '--registry', the().registry]);
          expect(said).toMatch(/forbidden|may not/i);
          expect(said).not.toContain(token);
        });
      });

      it('says which port is taken, and leaves nothing running', async () => {
        const other = createServer().listen(healthPort, '127.0.0.1');
        try {
          expect(await refuses(the(), given())).toMatch(new RegExp(`${healthPort}`));
        } finally {
          other.close();
        }
      });

      it('refuses a cluster where kpack runs', async () => {
        const { kube } = the();
        const controller = await kube.create({
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { namespace: 'kpack', name: 'kpack-controller' },
          spec: {
            replicas: 0,
            selector: { matchLabels: { app: 'x' } },
            template: { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'x', image: 'x' }] } },
          },
        } as KubeObject);
        try {
          expect(await refuses(the(), given())).toMatch(/kpack runs in this cluster/);
        } finally {
          await kube.delete({ ...controller, apiVersion: 'apps/v1', kind: 'Deployment' });
        }
      });

      it('refuses a cluster with definitions that are not its own', async () => {
        const { kube } = the();
        const key = { kind: 'CustomResourceDefinition', namespace: '', name: 'builders.kpack.io' };
        const labels = (await kube.get<KubeObject>(key))?.metadata?.labels ?? {};
        await kube.patch(key, {
          metadata: { labels: Object.fromEntries(Object.keys(labels).map((name) => [name, null])) },
        });
        try {
          expect(await refuses(the(), given())).toMatch(/builders\.kpack\.io/);
        } finally {
          await kube.patch(key, { metadata: { labels } });
        }
      });
    });
  },
};

/** Needs the cluster without kpackless on it. */
export const givenCluster: Story = {
  begin: () => Promise.resolve(),

  tell: (the) => {
    describe('npm start on a given cluster', () => {
      beforeAll(() => the().stopStandalone());
      afterAll(killRunningPrograms);

      it('builds its sample on the given cluster, killed in the middle and started again', async () => {
        const sample = { namespace: 'sample', name: 'sample' };
        const first = npmStart(the(), onGivenCluster(the()));
        await podWhen(the(), sample, 1);
        await first.kill();
        const second = npmStart(the(), [...onGivenCluster(the()), '--exit-when-ready']);
        const code = await second.ended;
        const { stdout, stderr } = second.said();
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
        expect(stdout).toContain((await imageOf(the(), sample))?.status?.latestImage ?? '?');
        expect(stdout).toMatch(/answer +Hello from kpackless/);
        expect(await buildNames(the(), sample)).toEqual(['sample-build-1']);
      });
    });
  },
};
