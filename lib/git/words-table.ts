/** The words of git hosts: what each means, who says it and where that can be looked up. Read by host-words.ts. */
import type { GitErrorCode } from './errors.ts';

/** `commit-gone`: the repository is there and no longer has what was asked of it. */
export type WordsMeaning = GitErrorCode | 'commit-gone';

/**
 * Words in lower case, `…` standing for anything within a line; who says so, and where that can be looked up; if the meaning alone does not tell
 * people what to do, the reason as a part of our own sentence.
 */
export type WordsRow = readonly [words: string, source: string, because?: string];

/** Rows of one meaning. */
export type WordsGroup = readonly [means: WordsMeaning, rows: readonly WordsRow[]];

const takesTokens = 'its host takes a token in place of a password';

/** Asked in this order: what is said of one thing only comes before what is said of many. */
export const wordsTable: readonly WordsGroup[] = [
  [
    'commit-gone',
    [
      ['not our ref', 'C git, upload-pack.c; GitHub, GitLab, Gitea and Bitbucket run it'],
      ['unadvertised object', "git's client, fetch-pack.c, of a host that hands out tips alone"],
      ['no such remote ref', "git's client, fetch-pack.c"],
      ["couldn't find remote ref", "git's client, remote.c"],
      ['want … not valid', 'JGit and Gerrit, JGitText.properties: wantNotValid'],
      ['tf401035', 'Azure DevOps, TF401035: The object does not exist'],
    ],
  ],
  [
    'throttled',
    [
      ['rate limit', 'GitHub docs, Rate limits: secondary rate limits; Bitbucket Cloud docs, API request limits'],
      ['abuse detection', 'GitHub docs, Rate limits'],
      ['rate exceeded', 'CodeCommit User Guide, Troubleshooting access errors: Rate Exceeded'],
      ['too many requests', 'RFC 6585 §4; GitLab, Gitea and Bitbucket behind it'],
      ['retry later', 'GitLab docs, Rate limits: the text of its answer'],
      ['tf400733', 'Azure DevOps docs, Rate and usage limits: TF400733'],
      ['bandwidth limit', 'git-lfs, lfshttp/errors.go: Bandwidth limit exceeded (HTTP 509)'],
      ['too many concurrent', 'Gerrit docs, sshd.maxConnectionsPerUser'],
      ['exceeded maxstartups', 'OpenSSH, sshd.c: drop_connection'],
      ['not allowed at this time', 'OpenSSH, sshd.c: PerSourcePenalties'],
    ],
  ],
  [
    'key-refused',
    [
      ['permission denied (', 'OpenSSH, sshconnect2.c; how CodeCommit, GitHub and Gerrit refuse a key'],
      ['public key authentication failed', 'Azure DevOps docs, Use SSH key authentication'],
      ['public key denied', 'CodeCommit User Guide, Troubleshooting access errors'],
      ['too many authentication failures', 'OpenSSH, packet.c'],
    ],
  ],
  [
    'unauthorized',
    [
      ['password authentication', 'GitHub docs, Cloning with HTTPS URLs', takesTokens],
      ['personal access token', 'GitLab, lib/gitlab/auth.rb', takesTokens],
      ['http basic: access denied', 'GitLab, git_http_client_controller.rb'],
      ['tf400813', 'Azure DevOps, TF400813: The user is not authorized to access this resource'],
      ['invalid username', 'GitHub: Invalid username or token; Bitbucket: Invalid username or password'],
      ['invalid credentials', 'Bitbucket Cloud docs, app passwords'],
      ['bad credentials', 'GitHub docs, Troubleshooting the REST API'],
      ['authentication failed', "git's client, remote-curl.c"],
      ['could not read username', "git's client, prompt.c"],
      ['could not read password', "git's client, prompt.c"],
      ['terminal prompts disabled', "git's client, prompt.c"],
      ['credentials for … not found', 'git-lfs, lfsapi/auth.go'],
      ['authentication required', 'git-lfs, errors/types.go: of HTTP 401'],
    ],
  ],
  [
    'forbidden',
    [
      [
        'saml sso',
        'GitHub docs, Authorizing a personal access token for use with SSO',
        'its organisation asks for a credential that is authorised for single sign-on',
      ],
      ['ip allow list', 'GitHub docs, Managing allowed IP addresses', 'its organisation does not list our address'],
      ['has been blocked', 'GitLab, git_access.rb: account_blocked', 'the account is blocked'],
      ['password expired', 'GitLab, user_access_denied_reason.rb', 'the password of the account has expired'],
      ['terms of service', 'GitLab, user_access_denied_reason.rb', 'the account has not accepted the terms of service'],
      ['over http is not allowed', 'GitLab, git_access.rb', 'its host allows git over ssh alone'],
      ['over ssh is not allowed', 'GitLab, git_access.rb', 'its host allows git over https alone'],
      ['two-factor', 'GitLab docs, Two-factor authentication', takesTokens],
      ['data quota', 'GitHub docs, About billing for Git LFS', 'its account has used up what it may download'],
      ['dmca', 'GitHub docs, DMCA takedown policy', 'its host took the repository down'],
      ['is disabled', 'GitHub: Repository is disabled', 'its host has disabled the repository'],
      ['account is … not available', 'nologin(8)', 'the user may not run git there'],
    ],
  ],
  [
    'not-found',
    [
      ['tf401019', 'Azure DevOps, TF401019: The Git repository does not exist or you do not have permissions'],
      ['tf200016', 'Azure DevOps, TF200016: The following project does not exist'],
      ['repository not found', 'GitHub docs, Error: Repository not found; CodeCommit; JGitText.properties'],
      ['repository … not found', "git's client, remote-curl.c"],
      ['project … not found', 'Gerrit, ProjectHandler'],
      ['could not be found', 'GitLab, git_access.rb: project_not_found'],
      ['cannot find repository', 'Gitea, routers/private/serv.go'],
      ['not appear to be a git', 'C git, path.c and setup.c'],
      ['does not exist', 'Bitbucket Cloud, conq: repository does not exist; Gitea; CodeCommit'],
      ["doesn't exist", 'Bitbucket Data Center'],
      ['no longer exists', 'Bitbucket Cloud: You may not have access to this repository or it no longer exists'],
      ['no such', 'errno(3), ENOENT; gitolite'],
    ],
  ],
  [
    'protocol',
    [
      [
        'unsupported url for ssh',
        'Azure DevOps docs, Use SSH key authentication',
        'the URL is not in the form that its host shows for ssh',
      ],
      ['sent to https port', 'nginx, ngx_http_special_response.c: HTTP 497', 'its port speaks https'],
      [
        'request to an https server',
        'Go, net/http/server.go; Gitea and GitLab Workhorse are served by it',
        'its port speaks https',
      ],
      ['ssl-enabled server port', 'Apache httpd, modules/ssl/ssl_engine_kernel.c', 'its port speaks https'],
      ['invalid repository syntax', 'Bitbucket Cloud, conq', 'the URL does not name workspace and repository'],
      ['command not found', 'sh(1), of a server without git', 'no git is installed there'],
      ['no matching', 'OpenSSH, kex.c', 'its ssh server offers only algorithms that are too old'],
    ],
  ],
  [
    'host-unreachable',
    [
      ['internal api', 'GitLab, gitlab-shell client: Internal API unreachable, Internal API error'],
      ['api is not accessible', 'GitLab, gitlab-shell of older versions'],
      ['failed to authorize your git request', 'GitLab, gitlab-shell'],
      ['gitaly', 'GitLab docs, Troubleshooting Gitaly'],
      ['code = unavailable', 'gRPC status codes, as Gitaly answers'],
      ['code = deadlineexceeded', 'gRPC status codes, as Gitaly answers'],
      ['internal server', 'Gitea, cmd/serv.go: Internal Server Connection Error; JGit; RFC 9110 §15.6.1'],
      ['server error', 'git-lfs, lfshttp/errors.go: of HTTP 500 and above'],
      ['internal error', 'Gitea, cmd/serv.go; Gerrit, BaseCommand'],
      ['maintenance', 'GitLab docs, Maintenance mode; Bitbucket Data Center'],
      ['unavailable', 'RFC 9110 §15.6.4; Bitbucket and Azure DevOps while they are down'],
      ['not available at this time', 'GitLab, git_access.rb, when Gitaly is down'],
      ['offline', 'GitHub, while offline for maintenance'],
      ['overloaded', 'Bitbucket Data Center docs, Scaling: hosting tickets'],
      ['bad gateway', 'RFC 9110 §15.6.3'],
      ['try again', 'Azure DevOps and GitHub: Please try again later'],
      ['cannot fork', 'C git, run-command.c'],
      ['died of signal', 'C git, run-command.c'],
      ['no space left', 'errno(3), ENOSPC'],
      ['out of memory', 'C git, wrapper.c'],
    ],
  ],
  [
    'forbidden',
    [
      ['not allowed', 'GitLab, git_access.rb: You are not allowed to download code from this project'],
      ['not permitted', 'Gerrit, Upload: upload-pack not permitted; JGitText.properties: serviceNotPermitted'],
      ['not enabled', 'JGit, JGitText.properties: serviceNotEnabledNoName'],
      ['denied', 'GitHub: Permission to … denied to …; Bitbucket: Access denied'],
      ['forbidden', 'RFC 9110 §15.5.4; CodeCommit'],
      ['unauthorized', 'Gitea, routers/private/serv.go; Bitbucket Cloud: Unauthorized'],
      ['not authorized', 'CodeCommit: is not authorized to perform'],
      ['permission', 'Bitbucket Data Center: You do not have permission to access this repository'],
      ['authorization error', 'git-lfs, lfshttp/errors.go: of HTTP 403'],
      ['access rights', 'Bitbucket Data Center: Please make sure you have the correct access rights'],
    ],
  ],
  [
    'host-unreachable',
    [
      ['connection closed by', 'OpenSSH, packet.c'],
      ['connection reset', 'errno(3), ECONNRESET'],
      ['exchange_identification', 'OpenSSH, kex.c, of a server that closes before its greeting'],
      ['banner exchange', 'OpenSSH, kex.c'],
      ['connection refused', 'errno(3), ECONNREFUSED'],
      ['timed out', 'errno(3), ETIMEDOUT'],
      ['no route to host', 'errno(3), EHOSTUNREACH'],
      ['unreachable', 'errno(3), ENETUNREACH'],
      ['could not resolve', 'OpenSSH, sshconnect.c; curl'],
      ['early eof', "git's client, index-pack.c"],
      ['unexpected disconnect', "git's client, pkt-line.c"],
      ['expected … packfile', "git's client, fetch-pack.c, of an answer that is cut off"],
      ['bad pack header', "git's client, fetch-pack.c"],
      ['hung up', "git's client, connect.c and pkt-line.c"],
    ],
  ],
  ['not-found', [['not found', 'RFC 9110 §15.5.5, of a repository at Bitbucket and Gitea over http']]],
];
