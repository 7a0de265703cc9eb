/** Who may open connections at all: a new file that does is a decision, made here. The linter says the same while it is written. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');
const files = globSync(['lib/**/*.ts', 'functions/**/*.ts'], { cwd: root }).sort();
const read = (file: string): string =>
  readFileSync(join(root, file), 'utf8').replaceAll(/^\s*(?:\*|\/\/|\/\*).*$/gm, '');
const having = (pattern: RegExp): readonly string[] => files.filter((file) => pattern.test(read(file)));

const modules = 'https?|http2|net|tls|dns|dns/promises|dgram|inspector|ssh2|undici';
const loading = new RegExp(
  String.raw`^(?:import (?!type)[^;]*?from |import |export [^;]*?from )'(?:node:)?(?:${modules})'|(?:import|require|getBuiltinModule)\(\s*'(?:node:)?(?:${modules})'`,
  'm',
);

describe('the ways out', () => {
  it('are made of sockets in the guard, and for hosts that no tenant names', () => {
    expect(having(loading)).toEqual([
      'lib/conversion/serve.ts', // listens
      'lib/egress/address.ts', // isIP
      'lib/egress/fetch.ts',
      'lib/egress/guard.ts',
      'lib/egress/guarded-fetch.ts',
      'lib/egress/system-lookup.ts',
      'lib/egress/trust.ts', // whom TLS trusts
      'lib/git/ssh.ts', // over a socket of the guard
      'lib/kube/transport.ts', // the API server of a registration
      'lib/oci/response-error.ts', // names of statuses
      'lib/relay/health.ts', // listens
      'lib/steps/prepare/download.ts', // names of statuses
    ]);
  });

  it('use the platform’s fetch only towards AWS and the operator’s bucket, and in pods', () => {
    const linter = JSON.parse(readFileSync(join(root, '.oxlintrc.json'), 'utf8')) as {
      readonly overrides: readonly {
        readonly files: readonly string[];
        readonly rules: Readonly<Record<string, unknown>>;
      }[];
    };
    const exempt = linter.overrides.filter(({ rules }) => rules['no-restricted-globals'] === 'off');
    expect(exempt.flatMap((override) => override.files)).toEqual([
      'lib/builds/archive/put-once.ts',
      'lib/hooks/secret-parameter.ts',
    ]);
    // The linter knows the global by its name alone. These ask STS and SSM.
    expect(having(/globalThis(?:\.fetch|\[)|\bglobal\.|\bWebSocket\b/)).toEqual([
      'lib/clusters/account-role.ts',
      'lib/clusters/assumed-role.ts',
      'lib/clusters/grant-keychain.ts',
      'lib/clusters/stored-secret.ts',
      'lib/clusters/sts.ts',
      'lib/clusters/web-identity.ts',
      'lib/hooks/secret-parameter.ts',
    ]);
  });

  it('without a guard are for pods alone', () => {
    expect(having(/\bopenFetch\b/)).toEqual([
      'lib/egress/fetch.ts',
      'lib/oci/fetch-send.ts',
      'lib/steps/prepare/download.ts',
      'lib/steps/prepare/git-source.ts',
    ]);
    // What falls back to it: functions open registries for accounts, which takes a fetch.
    expect(having(/\bopenRegistry\b/)).toEqual([
      'lib/buildpacks/account-registry.ts',
      'lib/oci/client.ts',
      'lib/steps/completion/completion.ts',
      'lib/steps/prepare/registry-access.ts',
      'lib/steps/prepare/registry-source.ts',
      'lib/steps/rebase/rebase.ts',
    ]);
    expect(having(/\bfetchSend\b|\bcreateApi\b/)).toEqual([
      'lib/oci/api.ts',
      'lib/oci/client.ts',
      'lib/oci/fetch-send.ts',
      'lib/steps/prepare/registry-access.ts',
    ]);
    expect(having(/\/steps\//).filter((file) => !/^(?:lib|functions)\/steps\//.test(file))).toEqual([]);
  });

  it('of functions are made in one place', () => {
    expect(having(/\b(?:guardedFetch|guardedDial|egressGuard)\b/)).toEqual([
      'functions/egress.ts',
      'lib/egress/guard.ts',
      'lib/egress/guarded-fetch.ts',
    ]);
  });
});
