import { chmod, writeFile } from 'node:fs/promises';
import { packTar } from 'modern-tar';
import { describe, expect, it } from 'vitest';
import { parseSourceMessage, sourceMessage } from '../../../lib/builds/source-message.ts';
import { prepare } from '../../../lib/steps/prepare/prepare.ts';
import { pushImage, stepWorld } from '../../support/step-world.ts';

const tar = await packTar([{ header: { name: 'a', size: 1, mtime: new Date(0) }, body: 'x' }]);

describe('the last words of prepare', () => {
  it('fit where many containers share the room that the kubelet has for all', () => {
    expect(sourceMessage({ type: 'image', id: 'a'.repeat(64) }).length).toBeLessThan(200);
  });

  it('are read as they are written, and nothing else is', () => {
    const source = { type: 'git', id: 'a'.repeat(40) } as const;
    expect(parseSourceMessage(sourceMessage(source))).toEqual(source);
    for (const message of ['', 'null', '{"source":{}}', `${sourceMessage(source)}x`, 'x'.repeat(1_000_000)])
      expect(parseSourceMessage(message)).toBeUndefined();
  });

  it('are not said by a step that fails after it fetched: the condition shows the error', async () => {
    await using world = await stepWorld();
    const image = await pushImage(`${world.registry.host}/src:1`, [tar]);
    await expect(world.prepare({ REGISTRY_IMAGE: image, SOURCE_SUB_PATH: 'missing' })).rejects.toThrow('missing');
    expect(await world.terminationMessage()).toBe('');
  });

  it('may find no place: then the build goes on, and the log says so', async () => {
    await using world = await stepWorld();
    const image = await pushImage(`${world.registry.host}/src:1`, [tar]);
    const file = `${world.root}/file`;
    await writeFile(file, '');
    await chmod(file, 0o400);
    const paths = { ...world.paths, terminationMessage: `${file}/message` };
    await prepare(world.step([], { REGISTRY_IMAGE: image }), paths);
    expect(await world.read('a')).toBe('x');
    expect(world.log.join('\n')).toContain(`warning: the source cannot be told in ${file}/message`);
  });
});
