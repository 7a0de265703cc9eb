import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { meaningOf } from '../../../lib/git/host-words.ts';
import { type WordsMeaning, wordsTable } from '../../../lib/git/words-table.ts';

const id = '001e282370d2a600d3682c21849959be29c4dd8e';

/** Whole sentences as hosts write them; each row of the table is in one of them. */
const said: readonly (readonly [host: string, sentence: string, means: WordsMeaning])[] = [
  ['C git', `fatal: remote error: upload-pack: not our ref ${id}`, 'commit-gone'],
  ['git', `error: Server does not allow request for unadvertised object ${id}`, 'commit-gone'],
  ['git', `error: no such remote ref ${id}`, 'commit-gone'],
  ['git', `fatal: couldn't find remote ref ${id}`, 'commit-gone'],
  ['JGit', `fatal: remote error: want ${id} not valid`, 'commit-gone'],
  ['Azure DevOps', `remote: TF401035: The object '${id}' does not exist.`, 'commit-gone'],
  ['GitHub', 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.', 'throttled'],
  ['GitHub', 'remote: You have triggered an abuse detection mechanism.', 'throttled'],
  ['CodeCommit', 'fatal: remote error: Rate exceeded', 'throttled'],
  ['Gitea', '429 Too Many Requests', 'throttled'],
  ['GitLab', 'Retry later', 'throttled'],
  ['Azure DevOps', 'TF400733: The request has been canceled: Request was blocked due to exceeding usage', 'throttled'],
  ['git-lfs', 'Bandwidth limit exceeded: https://host/app.git/info/lfs/objects/batch', 'throttled'],
  ['Gerrit', 'Too many concurrent connections (64) - max. allowed: 64', 'throttled'],
  ['OpenSSH', 'Exceeded MaxStartups', 'throttled'],
  ['OpenSSH', 'Not allowed at this time', 'throttled'],
  ['OpenSSH', 'git@host: Permission denied (publickey).', 'key-refused'],
  ['Azure DevOps', 'remote: Public key authentication failed.', 'key-refused'],
  ['CodeCommit', 'Error: public key denied', 'key-refused'],
  ['OpenSSH', 'Received disconnect from 192.0.2.1 port 22:2: Too many authentication failures', 'key-refused'],
  ['GitHub', 'remote: Support for password authentication was removed on August 13, 2021.', 'unauthorized'],
  ['GitHub', 'remote: Invalid username or token. Password authentication is not supported.', 'unauthorized'],
  ['GitHub', 'remote: Invalid username or password.', 'unauthorized'],
  ['GitLab', 'remote: HTTP Basic: Access denied. The provided password or token is incorrect', 'unauthorized'],
  ['GitLab', 'You must use a personal access token with read_repository for Git over HTTP.', 'unauthorized'],
  ['Azure DevOps', "TF400813: The user '' is not authorized to access this resource.", 'unauthorized'],
  ['Bitbucket', 'remote: Invalid credentials', 'unauthorized'],
  ['GitHub', '{"message":"Bad credentials"}', 'unauthorized'],
  ['git', "fatal: Authentication failed for 'https://host/r.git/'", 'unauthorized'],
  ['git', "fatal: could not read Username for 'https://host'", 'unauthorized'],
  ['git', "fatal: could not read Password for 'https://me@host'", 'unauthorized'],
  ['git', 'fatal: terminal prompts disabled', 'unauthorized'],
  ['git-lfs', 'Git credentials for https://host/app.git not found.', 'unauthorized'],
  ['git-lfs', 'Authentication required: Authorization error: https://host/app.git/info/lfs', 'unauthorized'],
  [
    'GitHub',
    'This repository is over its data quota. Account responsible for LFS bandwidth should purchase more data packs.',
    'forbidden',
  ],
  ['git-lfs', 'Authorization error: https://host/app.git/info/lfs', 'forbidden'],
  ['git-lfs', 'Fatal error: Server error: https://host/app.git/info/lfs/objects/batch', 'host-unreachable'],
  ['git-lfs', 'Repository or object not found: https://host/app.git/info/lfs', 'not-found'],
  ['GitHub', "remote: The `acme' organization has enabled or enforced SAML SSO.", 'forbidden'],
  ['GitHub', 'remote: the owner has an IP allow list enabled, and your IP is not permitted', 'forbidden'],
  ['GitLab', 'remote: Your account has been blocked.', 'forbidden'],
  ['GitLab', 'remote: Your password expired. Please access GitLab from a web browser', 'forbidden'],
  ['GitLab', 'remote: You must accept the Terms of Service in order to perform this action.', 'forbidden'],
  ['GitLab', 'remote: Pulling over HTTP is not allowed.', 'forbidden'],
  ['GitLab', 'remote: Git access over SSH is not allowed', 'forbidden'],
  ['GitLab', 'remote: you have Two-Factor authentication turned on', 'forbidden'],
  ['GitHub', 'remote: Repository unavailable due to DMCA takedown.', 'forbidden'],
  ['GitHub', "ERROR: Repository 'acme/app' is disabled.", 'forbidden'],
  ['nologin', 'This account is currently not available.', 'forbidden'],
  [
    'Azure DevOps',
    'remote: TF401019: The Git repository with name or identifier app does not exist or you do not have permissions for the operation you are attempting.',
    'not-found',
  ],
  ['Azure DevOps', 'remote: TF200016: The following project does not exist: app.', 'not-found'],
  ['GitHub', 'ERROR: Repository not found.', 'not-found'],
  ['git', "fatal: repository 'https://host/r.git/' not found", 'not-found'],
  ['JGit', 'fatal: remote error: Git repository not found', 'not-found'],
  ['Gerrit', "fatal: project 'app' not found", 'not-found'],
  [
    'GitLab',
    "remote: The project you were looking for could not be found or you don't have permission to view it.",
    'not-found',
  ],
  ['Gitea', 'Gitea: Cannot find repository: acme/app', 'not-found'],
  ['C git', "fatal: '/srv/none.git' does not appear to be a git repository", 'not-found'],
  ['Bitbucket', 'conq: repository does not exist.', 'not-found'],
  ['Bitbucket', "The requested repository doesn't exist", 'not-found'],
  [
    'Bitbucket',
    'remote: You may not have access to this repository or it no longer exists in this workspace.',
    'not-found',
  ],
  ['C git', "fatal: cannot change to '/srv/none.git': No such file or directory", 'not-found'],
  ['Azure DevOps', "remote: You're using an unsupported URL for SSH.", 'protocol'],
  ['nginx', 'The plain HTTP request was sent to HTTPS port', 'protocol'],
  ['Gitea', 'Client sent an HTTP request to an HTTPS server.', 'protocol'],
  ['Apache', "Reason: You're speaking plain HTTP to an SSL-enabled server port.", 'protocol'],
  ['Bitbucket', 'conq: invalid repository syntax.', 'protocol'],
  ['sh', 'bash: line 1: git-upload-pack: command not found', 'protocol'],
  ['OpenSSH', 'Unable to negotiate with 192.0.2.1: no matching host key type found. Their offer: ssh-dss', 'protocol'],
  ['GitLab', 'remote: ERROR: Internal API unreachable', 'host-unreachable'],
  ['GitLab', 'GitLab: API is not accessible', 'host-unreachable'],
  ['GitLab', 'GitLab: Failed to authorize your Git request: internal API unreachable', 'host-unreachable'],
  ['GitLab', 'GitLab: Failed to authorize your Git request', 'host-unreachable'],
  [
    'GitLab',
    'remote: The git server, Gitaly, is not available at this time. Please contact your administrator.',
    'host-unreachable',
  ],
  ['GitLab', 'remote: The git server is not available at this time.', 'host-unreachable'],
  ['GitLab', 'fatal: rpc error: code = Unavailable desc = connection error', 'host-unreachable'],
  ['GitLab', 'rpc error: code = DeadlineExceeded desc = context deadline exceeded', 'host-unreachable'],
  ['Gitea', 'Gitea: Internal Server Connection Error', 'host-unreachable'],
  ['JGit', 'fatal: remote error: internal server error', 'host-unreachable'],
  ['Gitea', 'Gitea: Internal error', 'host-unreachable'],
  ['Bitbucket', 'Bitbucket is undergoing maintenance', 'host-unreachable'],
  ['Azure DevOps', 'The service is unavailable.', 'host-unreachable'],
  ['GitHub', 'ERROR: GitHub is offline', 'host-unreachable'],
  ['Bitbucket', 'The server is overloaded', 'host-unreachable'],
  ['nginx', '502 Bad Gateway', 'host-unreachable'],
  ['GitHub', 'fatal: remote error: An error occurred, please try again in a moment', 'host-unreachable'],
  ['C git', 'error: cannot fork() for pack-objects', 'host-unreachable'],
  ['C git', 'error: git upload-pack died of signal 9', 'host-unreachable'],
  ['C git', 'fatal: write error: No space left on device', 'host-unreachable'],
  ['C git', 'fatal: Out of memory, malloc failed', 'host-unreachable'],
  ['GitLab', 'remote: You are not allowed to download code from this project.', 'forbidden'],
  ['Gerrit', "fatal: upload-pack not permitted on 'app'", 'forbidden'],
  ['JGit', 'fatal: remote error: Service not enabled', 'forbidden'],
  ['GitHub', 'ERROR: Permission to acme/app.git denied to deploy key', 'forbidden'],
  ['CodeCommit', '403 Forbidden', 'forbidden'],
  ['Gitea', 'Gitea: Unauthorized to read acme/app', 'forbidden'],
  ['CodeCommit', 'User is not authorized to perform: codecommit:GitPull', 'forbidden'],
  ['Bitbucket', 'You do not have permission to access this repository', 'forbidden'],
  ['Bitbucket', 'Please make sure you have the correct access rights', 'forbidden'],
  ['OpenSSH', 'Connection closed by 192.0.2.1 port 22', 'host-unreachable'],
  ['OpenSSH', 'Connection reset by 192.0.2.1 port 22', 'host-unreachable'],
  ['OpenSSH', 'kex_exchange_identification: Connection closed by remote host', 'host-unreachable'],
  ['OpenSSH', 'banner exchange: Connection to 192.0.2.1 port 22: invalid format', 'host-unreachable'],
  ['OpenSSH', 'ssh: connect to host h port 22: Connection refused', 'host-unreachable'],
  ['OpenSSH', 'ssh: connect to host h port 22: Connection timed out', 'host-unreachable'],
  ['OpenSSH', 'ssh: connect to host h port 22: No route to host', 'host-unreachable'],
  ['OpenSSH', 'ssh: connect to host h port 22: Network is unreachable', 'host-unreachable'],
  ['OpenSSH', 'ssh: Could not resolve hostname h: Name or service not known', 'host-unreachable'],
  ['git', 'fatal: early EOF', 'host-unreachable'],
  ['git', 'fetch-pack: unexpected disconnect while reading sideband packet', 'host-unreachable'],
  ['git', "fatal: expected 'packfile'", 'host-unreachable'],
  ['git', 'fatal: protocol error: bad pack header', 'host-unreachable'],
  ['git', 'fatal: the remote end hung up unexpectedly', 'host-unreachable'],
  ['Bitbucket', 'remote: Not Found', 'not-found'],
];

describe('what a git host says', () => {
  it.each(said)('is understood: %s: %s', (_, sentence, means) => {
    expect(meaningOf(sentence)?.means).toBe(means);
    expect(meaningOf(`remote: \r\nremote: ========\r\n${sentence.toUpperCase()}\r\n`)?.means).toBe(means);
  });

  it('is in a sentence for each row of the table, and each row says where it is from', () => {
    const texts = said.map(([, sentence]) => sentence.toLowerCase());
    const rows = wordsTable.flatMap(([, group]) => group);
    const isSaid = (words: string): boolean =>
      texts.some((text) => {
        let at = 0;
        return words.split('…').every((part) => {
          const found = text.indexOf(part.trim(), at);
          at = found + 1;
          return found >= 0;
        });
      });
    expect(rows.filter(([words]) => !isSaid(words)).map(([words]) => words)).toEqual([]);
    expect(rows.filter(([words, source]) => words !== words.toLowerCase() || source === '')).toEqual([]);
  });

  it('is not guessed at when no row has it', () => {
    expect(meaningOf('Welcome to Gogs!')).toBeUndefined();
    expect(meaningOf('')).toBeUndefined();
    // Words that a row has are no words of it when they stand in two lines.
    expect(meaningOf(`I want\nthat, not valid`)).toBeUndefined();
  });

  it('whatever it is, is looked at in no time', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 2000 }), (text) => {
        const found = meaningOf(text.repeat(100));
        return found === undefined || typeof found.means === 'string';
      }),
      { numRuns: 100 },
    );
    expect(meaningOf('want '.repeat(1_000_000))).toBeUndefined();
  });
});
