/** Clusters that are entered by what AWS keeps: read again, refused with a sentence, never quoted. */
import { describe, expect, it } from 'vitest';
import { storedAccess } from '../../../lib/clusters/stored-access.ts';
import { readStoredSecret } from '../../../lib/clusters/stored-secret.ts';

const kubeconfig = (user: object, cluster: object = {}): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'here',
    clusters: [{ name: 'c', cluster: { server: 'https://k.example', ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
  });

/** What AWS answers, and what it was asked. */
const begin = (answer: () => Response) => {
  const asked: { url: string; target: string | undefined; body: string }[] = [];
  let now = 0;
  const ports = {
    credentials: async () => ({ accessKeyId: 'AKIA', secretAccessKey: 's' }),
    clock: () => new Date(now),
    fetch: (async (url: string, init: RequestInit) => {
      asked.push({
        url,
        target: (init.headers as Record<string, string>)['x-amz-target'],
        body: typeof init.body === 'string' ? init.body : '',
      });
      return answer();
    }) as unknown as typeof fetch,
  };
  return { asked, ports, later: (seconds: number) => (now += seconds * 1000) };
};
const secret = { store: 'secretsmanager', name: 'kpackless/cluster/a', region: 'eu-west-1' } as const;
const kept = (text: string) => () => Response.json({ SecretString: text });

describe('what AWS keeps', () => {
  it('is asked for by name, in Secrets Manager and in Parameter Store', async () => {
    const manager = begin(kept('text'));
    expect(await readStoredSecret(secret, manager.ports)).toBe('text');
    expect(manager.asked).toEqual([
      {
        url: 'https://secretsmanager.eu-west-1.amazonaws.com/',
        target: 'secretsmanager.GetSecretValue',
        body: '{"SecretId":"kpackless/cluster/a"}',
      },
    ]);
    const store = begin(() => Response.json({ Parameter: { Value: 'text' } }));
    expect(await readStoredSecret({ ...secret, store: 'ssm' }, store.ports)).toBe('text');
    expect(store.asked[0]).toMatchObject({ target: 'AmazonSSM.GetParameter' });
  });

  it.each([
    ['refuses', () => new Response('{"SecretString":"hush"}', { status: 400 }), /HTTP 400; is it there/],
    ['answers no JSON', () => new Response('hush'), /not JSON/],
    ['answers without a text', () => Response.json({ hush: 1 }), /holds no text/],
  ])('when it %s is a failure that quotes nothing', async (_, answer, said) => {
    const failure = readStoredSecret(secret, begin(answer).ports);
    await expect(failure).rejects.toThrow(said);
    await expect(failure).rejects.not.toThrow(/hush/);
  });
});

describe('a cluster whose kubeconfig AWS keeps', () => {
  const source = (text: string) => {
    const world = begin(kept(text));
    return { ...world, access: storedAccess(secret, { form: 'kubeconfig' }, world.ports) };
  };

  it('is entered as it says, read once a minute and at once when that is refused', async () => {
    const { access, asked, later } = source(kubeconfig({ token: 't' }));
    const { config } = await access.read({ anew: false });
    expect([config.getCurrentCluster()?.server, config.getCurrentUser()?.token]).toEqual(['https://k.example', 't']);
    await access.read({ anew: false });
    expect(asked).toHaveLength(1);
    await access.read({ anew: true });
    later(61);
    await access.read({ anew: false });
    expect(asked).toHaveLength(3);
  });

  it.each([
    ['a program', { exec: { command: 'aws', apiVersion: 'client.authentication.k8s.io/v1' } }, {}, /names exec/],
    ['a file', { 'client-key': '/etc/passwd', 'client-certificate': '/x' }, {}, /names client-certificate, client-key/],
    ['a file for the server', { token: 't' }, { 'certificate-authority': '/etc/ssl/x' }, /names certificate-authority/],
  ])('and that names %s is refused: a function has none, and runs none', async (_, user, cluster, said) => {
    await expect(source(kubeconfig(user, cluster)).access.read({ anew: false })).rejects.toThrow(said);
  });

  it('that cannot be read once is read at the next look', async () => {
    let isDown = true;
    const world = begin(() => (isDown ? new Response('', { status: 500 }) : kept(kubeconfig({ token: 't' }))()));
    const access = storedAccess(secret, { form: 'kubeconfig' }, world.ports);
    await expect(access.read({ anew: false })).rejects.toThrow(/HTTP 500/);
    isDown = false;
    expect((await access.read({ anew: false })).config.getCurrentUser()?.token).toBe('t');
  });
});

describe('a cluster whose token AWS keeps', () => {
  it('is entered with it where the registration says', async () => {
    const { ports } = begin(kept('token\n'));
    const way = { form: 'token', server: 'https://k.example:6443', caData: 'Q0E=' } as const;
    const { config } = await storedAccess(secret, way, ports).read({ anew: false });
    expect(config.getCurrentUser()?.token).toBe('token');
    expect(config.getCurrentCluster()).toMatchObject({ server: 'https://k.example:6443', caData: 'Q0E=' });
  });
});
