import { describe, expect, it } from 'vitest';
import { addressesOf, egressAllow, egressSaid } from '../../../../infra/local/own-hosts.ts';
import { parseCidrs } from '../../../../lib/egress/cidr.ts';

describe('the hosts of a start', () => {
  it('are let through by address, each once, and are said', async () => {
    const found = await addressesOf(['10.88.255.2:5000', '10.88.255.3', '10.88.255.2', '[fd00::1]:5000']);
    expect(found).toEqual(['10.88.255.2', '10.88.255.3', 'fd00::1']);
    expect(egressSaid(found)).toContain('10.88.255.2, 10.88.255.3, fd00::1');
  });

  it('are found by name, and absent names have none', async () => {
    expect(await addressesOf(['localhost:5000'])).toContain('127.0.0.1');
    expect(await addressesOf(['nobody.invalid:5000'])).toEqual([]);
  });

  it('are added to what the operator allows', () => {
    expect(parseCidrs(egressAllow('192.168.0.0/16', ['10.88.255.2']))).toHaveLength(2);
    expect(egressAllow(undefined, [])).toBe('');
  });
});
