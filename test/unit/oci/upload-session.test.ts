import { describe, expect, it } from 'vitest';
import type { HttpResponse } from '../../../lib/oci/http.ts';
import { sessionFrom } from '../../../lib/oci/upload-session.ts';

const answer = (url: string, headers: Readonly<Record<string, string>>): HttpResponse => ({
  status: 202,
  statusText: '',
  headers: new Headers(headers),
  url: new URL(url),
  body: (async function* () {})(),
});
const base = 'https://reg.example.com:8443/v2/a/b/blobs/uploads/';

describe('where an upload goes on', () => {
  it.each([
    ['/v2/a/b/blobs/uploads/1?s=2', 'https://reg.example.com:8443/v2/a/b/blobs/uploads/1?s=2'],
    ['https://storage.example.com/x', 'https://storage.example.com/x'],
    ['http://reg.example.com/x', 'https://reg.example.com:8443/x'],
    ['http://reg.example.com:80/x', 'https://reg.example.com:8443/x'],
  ])('%s means %s', (location, href) => {
    expect(sessionFrom(answer(base, { location })).location.href).toBe(href);
  });

  it.each([
    [{}, 'missing Location header'],
    [{ location: 'https://[' }, 'missing Location header'],
    [{ location: 'file:///etc/passwd' }, 'missing Location header'],
    [{ location: 'http://other.example.com/x' }, 'from https to http on another host'],
  ])('%j is refused', (headers, sentence) => {
    expect(() => sessionFrom(answer(base, headers))).toThrow(sentence);
  });

  it('knows the smallest piece a registry takes', () => {
    const size = (header: string) =>
      sessionFrom(answer(base, { location: '/x', 'oci-chunk-min-length': header })).minChunkBytes;
    expect([size('5242880'), size('x'), size('-1')]).toEqual([5_242_880, 0, 0]);
  });
});
