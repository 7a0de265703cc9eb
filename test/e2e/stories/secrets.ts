/** After all builds with credentials: none of them is where it does not belong. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Secret } from 'kubernetes-types/core/v1.d.ts';
import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../lib/kube/object.ts';
import type { Story } from '../story.ts';
import type { Suite } from '../suite.ts';

/** Everything that must stay secret, as it is and in base64: passwords, keys, our own token. */
const secretTexts = async ({ kube, hookSecret }: Suite): Promise<readonly string[]> => {
  const found = await kube.list<Secret & KubeObject>('Secret');
  const values = found.flatMap(({ data = {} }) =>
    ['password', 'ssh-privatekey', 'token', '.dockerconfigjson', 'cosign.key', 'cosign.password']
      .map((name) =>
        Buffer.from(data[name] ?? '', 'base64')
          .toString('utf8')
          .trim(),
      )
      .filter((value) => value !== ''),
  );
  const inside = values.flatMap((value) => [...value.matchAll(/"auth":"([^"]+)"/g)].map(([, auth]) => auth ?? ''));
  const passwords = inside.map((auth) => Buffer.from(auth, 'base64').toString('utf8').split(':').slice(1).join(':'));
  const lines = values.flatMap((value) => value.split('\n')).filter((line) => !/^-----|^$/.test(line));
  const texts = [...lines, ...inside, ...passwords, hookSecret];
  return [...new Set([...texts, ...texts.map((text) => Buffer.from(text).toString('base64'))])];
};

const filesUnder = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());

/** Which of `texts` occur in `haystack`, shortened: a failing test must not print a secret whole. */
const foundIn = (haystack: string, texts: readonly string[]): readonly string[] =>
  texts.filter((text) => haystack.includes(text)).map((text) => `${text.slice(0, 4)}…`);

const commandLines = (): string =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return '';
      }
    })
    .join('\n');

/** Goes after the stories with Secrets, while kpackless still runs. */
export const secrets: Story = {
  begin: () => Promise.resolve(),

  tell: (the) => {
    describe('passwords, keys and tokens', () => {
      it('are not in messages', async () => {
        expect(the().sent.length).toBeGreaterThan(100);
        expect(foundIn(the().sent.join('\n'), await secretTexts(the()))).toEqual([]);
      });

      it('are not in the table', async () => {
        const items = the().standalone.database.prepare('SELECT * FROM item').all();
        expect(items.length).toBeGreaterThan(10);
        expect(foundIn(JSON.stringify(items), await secretTexts(the()))).toEqual([]);
      });

      it('are not in logs, of kpackless, of build pods or of any program', async () => {
        const files = filesUnder(join(the().stateDir, 'logs'));
        const texts = await secretTexts(the());
        const guilty = files
          .map((path) => [path, foundIn(readFileSync(path, 'utf8'), texts)] as const)
          .filter(([, found]) => found.length > 0);
        expect(guilty).toEqual([]);
      });

      it('are not in command lines', async () => {
        expect(foundIn(commandLines(), await secretTexts(the()))).toEqual([]);
      });

      it('are not in pods, Builds or Images', async () => {
        const kinds = ['Pod', 'Build', 'Image', 'SourceResolver'];
        const objects = await Promise.all(kinds.map((kind) => the().kube.list(kind)));
        expect(foundIn(JSON.stringify(objects), await secretTexts(the()))).toEqual([]);
      });
    });
  },
};
