/**
 * The cases of the OCI distribution conformance suite (v1.1: pull, push, discovery, management), seen from the client: what of each concerns us,
 * and the test that shows it. docs/registries.md prints the same list; test/unit/oci/conformance.test.ts compares the two, and the tests.
 */

/** One case. `test` is the start of a title, or absent with a reason in `client`. */
export interface ConformanceCase {
  readonly area: 'pull' | 'push' | 'discovery' | 'management';
  readonly registry: string;
  readonly client: string;
  readonly test?: string;
}

/** In the suite's order; setup and teardown left out. */
export const conformanceCases: readonly ConformanceCase[] = [
  {
    area: 'pull',
    registry: 'HEAD or GET of a blob that is not there: 404',
    client: '`hasBlob` false; `readBlob` fails `not-found`',
    test: 'answers a wrong blob name with not-found',
  },
  {
    area: 'pull',
    registry: 'HEAD or GET of a blob: 200',
    client: 'size and digest checked while it streams',
    test: 'takes a blob of several megabytes and streams it back',
  },
  {
    area: 'pull',
    registry: 'HEAD or GET of a manifest that is not there: 404',
    client: '`headManifest` undefined; `getManifest` fails `not-found`',
    test: 'says that a manifest is absent',
  },
  {
    area: 'pull',
    registry: 'HEAD or GET of a manifest by digest or tag: 200',
    client: 'bytes compared with the digest',
    test: 'takes an image and gives it back by tag and by digest',
  },
  {
    area: 'pull',
    registry: 'errors are JSON with code and message',
    client: 'told in the condition; anything else is told by its status',
    test: '04#129 says method, URL and status when the registry says nothing',
  },
  {
    area: 'push',
    registry: 'blob streamed in one PATCH, closed by PUT',
    client: 'sittings: pieces by PATCH, closed by PUT',
    test: 'goes in one when there is time',
  },
  {
    area: 'push',
    registry: 'blob in a single POST: 201, or 202 with a session',
    client: 'not used: half of all registries answer 202',
  },
  {
    area: 'push',
    registry: 'POST opens a session, PUT with the whole blob: 201',
    client: 'the usual way',
    test: 'take one POST and one PUT',
  },
  {
    area: 'push',
    registry: 'piece out of order, or sent again: 416',
    client: 'fails; the next sitting asks what the registry has',
    test: 'that the registry finds out of order fails, and goes on',
  },
  {
    area: 'push',
    registry: 'GET of an upload: 204 with Range and Location',
    client: 'where a sitting begins',
    test: 'goes by what the registry says it has',
  },
  {
    area: 'push',
    registry: 'pieces in order: 202 each, then 201',
    client: 'after 413, or over several passes',
    test: 'takes a blob over several sittings',
  },
  { area: 'push', registry: 'mount without `from`', client: 'not used: we know where blobs are' },
  {
    area: 'push',
    registry: 'mount from another repository: 201 or 202',
    client: 'nothing is sent after 201; after 202 the session is freed or used',
    test: 'links a blob from a neighbouring repository',
  },
  {
    area: 'push',
    registry: 'mount of what is not there: 202',
    client: 'uploaded instead',
    test: 'uploads what cannot be linked',
  },
  {
    area: 'push',
    registry: 'PUT of a manifest: 201',
    client: 'stored digest compared when the registry says it',
    test: 'takes an image and gives it back by tag and by digest',
  },
  { area: 'push', registry: 'manifest without layers', client: 'stored', test: 'takes a manifest without layers' },
  {
    area: 'push',
    registry: 'manifest with `subject`',
    client: 'not used: signatures are tags, as cosign v2 and kpack write them',
  },
  {
    area: 'discovery',
    registry: 'list of tags, `n` and `last`',
    client: 'pages are followed, within the registry and a limit',
    test: 'lists tags over several pages',
  },
  { area: 'discovery', registry: 'referrers', client: 'not used, see `subject`' },
  {
    area: 'management',
    registry: 'DELETE of a tag: 202, or 400 or 405 where that is forbidden',
    client: 'gone, or `rejected`',
    test: 'removes a tag alone, or says that it removes none',
  },
  {
    area: 'management',
    registry: 'DELETE of a manifest by digest: 202, then 404',
    client: 'gone with its tags; absent is fine',
    test: 'removes a manifest by digest with its tags',
  },
  {
    area: 'management',
    registry: 'DELETE of a blob: 202, then 404',
    client: 'gone; absent is fine',
    test: 'removes a blob, and does not mind that it is gone',
  },
];

/** The list as a table of docs/registries.md. */
export const conformanceTable = (): string =>
  [
    '| area | the registry’s side | ours |',
    '|---|---|---|',
    ...conformanceCases.map(({ area, registry, client }) => `| ${area} | ${registry} | ${client} |`),
  ].join('\n');
