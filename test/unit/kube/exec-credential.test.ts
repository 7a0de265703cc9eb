/** Programs that print credentials: when they are run, for how long, and what is believed of them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CredentialProgram, programCredential, runProgram } from '../../../lib/kube/exec-credential.ts';

const login: CredentialProgram = { command: 'login', args: [], env: {}, apiVersion: 'client.authentication.k8s.io/v1' };
const credential = (status: object): string => JSON.stringify({ kind: 'ExecCredential', status });

/** A program that takes so long each time; what it prints is numbered. */
const begin = ({ takes = 0, lasts }: { readonly takes?: number; readonly lasts?: number } = {}) => {
  const state = { now: 0, runs: 0, failure: undefined as Error | undefined };
  const ask = programCredential(
    () => new Date(state.now),
    async () => {
      state.now += takes * 1000;
      state.runs += 1;
      if (state.failure !== undefined) throw state.failure;
      const end = lasts === undefined ? {} : { expirationTimestamp: new Date(state.now + lasts * 1000).toISOString() };
      return credential({ token: `t${state.runs}`, ...end });
    },
  );
  return { state, ask, later: (seconds: number): void => void (state.now += seconds * 1000) };
};
const calm = { anew: false };
const refused = { anew: true };

describe('a program', () => {
  it('is run once for many requests, also when it prints no end, and again after half an hour', async () => {
    const { state, ask, later } = begin();
    for (let minutes = 0; minutes < 29; minutes += 1) {
      expect((await ask(login, calm)).token).toBe('t1');
      later(60);
    }
    later(60);
    await ask(login, calm);
    expect(state.runs).toBe(2);
  });

  it('is run a minute before what it printed ends, and nobody waits for it', async () => {
    const { state, ask, later } = begin({ lasts: 900 });
    await ask(login, calm);
    later(839);
    expect((await ask(login, calm)).token).toBe('t1');
    later(1);
    expect((await ask(login, calm)).token).toBe('t1');
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect((await ask(login, calm)).token).toBe('t2');
    expect(state.runs).toBe(2);
  });

  it('is run at once when what it printed is refused, then for a tenth of the time at most', async () => {
    const { state, ask } = begin({ takes: 3 });
    await ask(login, calm);
    await ask(login, refused);
    expect(state.runs).toBe(2);
    const since = state.now;
    while (state.now - since < 300_000) {
      await ask(login, refused);
      state.now += 500;
    }
    expect(state.runs - 2).toBeLessThanOrEqual(10);
  });

  it('that fails leaves what is still good, and is run again seconds later', async () => {
    const { state, ask, later } = begin({ lasts: 900 });
    await ask(login, calm);
    state.failure = new Error('no network');
    later(850);
    expect((await ask(login, calm)).token).toBe('t1');
    await new Promise((resolve) => setTimeout(resolve, 5));
    await expect(ask(login, calm)).rejects.toThrow('no network');
    state.failure = undefined;
    later(3);
    expect((await ask(login, calm)).token).toBe('t3');
  });

  it('is another one when the kubeconfig says another', async () => {
    const { ask } = begin();
    await ask(login, calm);
    expect((await ask({ ...login, args: ['--profile', 'b'] }, calm)).token).toBe('t2');
  });
});

describe('what a program prints', () => {
  it.each([
    ['no JSON', 'hello', /printed no JSON/],
    ['no credential', '{"kind":"Status"}', /printed no ExecCredential/],
    ['an empty credential', credential({}), /neither a token nor a certificate/],
    ['a certificate without its key', credential({ clientCertificateData: 'c' }), /neither a token nor a certificate/],
  ])('that is %s is an answer nobody can use, and is not repeated to anybody', async (_, output, said) => {
    const error = await programCredential(
      () => new Date(0),
      async () => output,
    )(login, calm).catch((why: unknown) => why);
    expect(String(error)).toMatch(said);
    expect(String(error)).not.toContain('hello');
  });
});

describe('a program of this machine', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kpackless-exec-'));
  });
  afterAll(() => rm(folder, { recursive: true }));
  const script = async (name: string, text: string): Promise<CredentialProgram> => {
    const command = join(folder, name);
    await writeFile(command, `#!/bin/sh\n${text}\n`, { mode: 0o700 });
    return { ...login, command, env: { WHO: 'us' } };
  };

  it('is given its environment, and told that nobody can be asked', async () => {
    const said = await runProgram(await script('env', 'cat; echo "$WHO $KUBERNETES_EXEC_INFO"'));
    expect(said).toBe(
      'us {"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{"interactive":false}}\n',
    );
  });

  it('that fails is named, and nothing of what it said', async () => {
    const failing = runProgram(await script('fail', 'echo planted-secret >&2; exit 3'));
    await expect(failing).rejects.toThrow(/fail.*failed with exit code 3: run it by hand/);
    await expect(failing).rejects.not.toThrow('planted-secret');
  });

  it('that is not there is named with what its kubeconfig says of getting it', async () => {
    const program = { ...login, command: join(folder, 'absent'), installHint: 'install it from example.com' };
    await expect(runProgram(program)).rejects.toThrow(/absent.*is not there; install it from example.com/);
  });
});
