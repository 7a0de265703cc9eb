import { describe, expect, it } from 'vitest';
import { isSpecChanged, memoryOf, memoryText } from '../../../lib/builds/build-memory.ts';
import { buildB } from './base-build.ts';

const build = buildB({}, { generation: 1 });
const pod = { uid: 'pod-uid', images: 'hash' };

describe('what the record keeps of a Build', () => {
  it('is read as it was written', () => {
    const memory = { ...memoryOf(undefined, build), pod };
    expect(memoryOf(memoryText(memory), build)).toEqual(memory);
  });

  it.each([
    ['nothing', undefined],
    ['what another release wrote', '{"pod":"x"}'],
    ['what is no JSON', 'x'],
    ['what an earlier Build of the name left', memoryText({ ...memoryOf(undefined, build), build: 'older', pod })],
  ])('begins anew with %s', (_, record) => {
    expect(memoryOf(record, build)).toEqual(memoryOf(undefined, build));
    expect(memoryOf(record, build)).not.toHaveProperty('pod');
  });

  it('is short, and holds nothing of the spec', () => {
    const text = memoryText({ ...memoryOf(undefined, buildB({ env: [{ name: 'A', value: 'sesame' }] })), pod });
    expect(text.length).toBeLessThan(300);
    expect(text).not.toContain('sesame');
  });

  it('tells a changed spec, and neither other annotations nor new defaults', () => {
    const memory = memoryOf(undefined, build);
    expect(isSpecChanged(memory, buildB({ defaultProcess: 'x' }, { generation: 2 }))).toBe(true);
    expect(isSpecChanged(memory, buildB({}, { generation: 3 }))).toBe(false);
    expect(isSpecChanged(memory, buildB({ defaultProcess: 'x' }, { generation: 1 }))).toBe(false);
    expect(isSpecChanged(memory, buildB({}, { generation: 1, annotations: { a: 'b' } }))).toBe(false);
  });
});
