import { describe, expect, it } from 'vitest';
import { isPlainHttpAllowed } from '../../../lib/oci/plain-http.ts';

describe('04#131 plain http', () => {
  it.each([
    'localhost:5000',
    'foo.localhost:5000',
    'x.local',
    'x.local:80',
    '10.1.2.3',
    '10.88.255.2:5000',
    '172.16.0.1:5000',
    '172.31.255.255',
    '192.168.1.1:32000',
    '127.0.0.1:1',
    '127.8.9.1:1',
    '[::1]:5000',
  ])('is allowed for %s', (registry) => {
    expect(isPlainHttpAllowed(registry)).toBe(true);
  });

  it.each([
    'registry.example.com',
    'index.docker.io',
    '8.8.8.8:5000',
    '172.32.0.1',
    '127.0.0.1.example.com',
    '10.example.com',
    'local.example.com',
    'mylocalhost.com',
    '[2001:db8::1]:5000',
  ])('is not for %s', (registry) => {
    expect(isPlainHttpAllowed(registry)).toBe(false);
  });
});
