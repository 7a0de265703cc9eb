import { describe, expect, it } from 'vitest';
import { Turns } from '../../../lib/embedded/turns.ts';

const taken = (turns: Turns): readonly string[] => {
  const all: string[] = [];
  for (let next = turns.next(); next !== undefined; next = turns.next()) all.push(next.target);
  return all;
};
const from = (...waiting: readonly (readonly [tenant: string, target: string, bulk?: boolean])[]): Turns => {
  const turns = new Turns();
  for (const [tenant, target, bulk = false] of waiting) turns.add({ tenant, target, bulk });
  return turns;
};

describe('turns', () => {
  it('go round the tenants: one of many thousands does not wait behind another’s', () => {
    const turns = new Turns();
    for (let at = 0; at < 5000; at += 1) turns.add({ tenant: 'big', target: `big-${at}`, bulk: false });
    turns.add({ tenant: 'small', target: 'small', bulk: false });
    expect([turns.next()?.target, turns.next()?.target, turns.next()?.target]).toEqual(['big-0', 'small', 'big-1']);
    expect(turns.size).toBe(4998);
  });

  it('keep the order within a tenant', () => {
    expect(taken(from(['a', '1'], ['a', '2'], ['b', '3'], ['a', '4']))).toEqual(['1', '3', '2', '4']);
  });

  it('let what somebody has just done go before what came in bulk', () => {
    expect(taken(from(['a', 'list', true], ['b', 'due', true], ['a', 'push']))).toEqual(['push', 'list', 'due']);
  });

  it('let something of the bulk through while urgent things keep coming', () => {
    const turns = from(['a', 'daily', true]);
    let before = 0;
    for (; before < 100; before += 1) {
      turns.add({ tenant: 'b', target: `urgent-${before}`, bulk: false });
      if (turns.next()?.target === 'daily') break;
    }
    expect(before).toBeLessThan(10);
  });

  it('move up what becomes urgent, and keep urgent what is listed again', () => {
    const turns = from(['a', 'one', true], ['a', 'two', true]);
    turns.add({ tenant: 'a', target: 'two', bulk: false });
    turns.add({ tenant: 'a', target: 'two', bulk: true });
    expect(taken(turns)).toEqual(['two', 'one']);
  });

  it('come once however often somebody asks', () => {
    expect(taken(from(['a', 'one'], ['a', 'one'], ['a', 'one', true]))).toEqual(['one']);
  });
});
