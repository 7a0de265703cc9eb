/** How the command speaks. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { outputOn } from '../../../infra/command/output.ts';
import { commandWorld } from '../../support/command-run.ts';

const collecting = () => {
  const said: string[] = [];
  return { said, streams: { out: () => undefined, err: (text: string) => void said.push(text), isTerminal: false } };
};

describe('work that takes long', () => {
  it('says what it does and how far it has come', async () => {
    const { said, streams } = collecting();
    await outputOn(streams, false, 20).during('reading the table', async (tell) => {
      tell('500 items');
      await sleep(100);
    });
    expect(said[0]).toBe('reading the table: 500 items (0 s)\n');
  });

  it('says it in one line of a terminal, which is empty in the end', async () => {
    const { said, streams } = collecting();
    await outputOn({ ...streams, isTerminal: true }, false, 20).during('reading', () => sleep(100));
    expect(said.length).toBeGreaterThan(2);
    expect(said.every((text) => text.startsWith('\r\u001b[2K') && !text.includes('\n'))).toBe(true);
    expect(said.at(-1)).toBe('\r\u001b[2K');
  });

  it('says it seldom where every line stays', async () => {
    const { said, streams } = collecting();
    await outputOn(streams, false, 20).during('reading', () => sleep(130));
    expect(said.length).toBeLessThanOrEqual(2);
  });

  it('that is soon done says nothing, and nothing after its end', async () => {
    const { said, streams } = collecting();
    await outputOn(streams, false).during('reading the table', async () => undefined);
    await sleep(30);
    expect(said).toStrictEqual([]);
  });
});

describe('the command line', () => {
  it.each([
    ['a subcommand that there is not', ['statu'], /unknown command 'statu'[^]*Did you mean status/],
    ['an option that there is not', ['status', '--regoin', 'x'], /unknown option '--regoin'[^]*Did you mean --region/],
    ['a form of output that there is not', ['status', '--output', 'yaml'], /Allowed choices are text, json/],
  ])('with %s ends with 2 and says what is meant', async (_, args, said) => {
    using world = commandWorld();
    const { code, err } = await world.run(...args);
    expect(code).toBe(2);
    expect(err).toMatch(said);
  });

  it('that fails says why, to programs in JSON', async () => {
    using world = commandWorld({ open: () => Promise.reject(new Error('a bug')) });
    const { code, err, json } = await world.run('status', '--output', 'json');
    expect(code).toBe(1);
    expect(err).toMatch(/a bug/);
    expect(json).toMatchObject({ error: expect.stringContaining('a bug') as string });
  });

  it('explains its exit codes', async () => {
    using world = commandWorld();
    expect((await world.run('--help')).out).toMatch(/Exit codes:[^]*3 {2}was done/);
  });
});
