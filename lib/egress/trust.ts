/**
 * The certificates that a process is given, for everything in it that speaks TLS. Node has authorities of its own and looks at no others; what
 * operators put into `SSL_CERT_FILE`, or a webhook into /etc/ssl/certs, counts for git and for the lifecycle, and so it does here.
 */
import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';

/** Where systems keep their authorities, as Go looks for them (crypto/x509 root_linux.go): the first file that is there, and all of the folders. */
const systemFiles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];
const systemFolders = ['/etc/ssl/certs', '/etc/pki/tls/certs'];

/** Largest file that is read, in bytes, and most files of a folder: all authorities of the world are a quarter of a mebibyte. */
const maxFileBytes = 8 << 20;
const maxFiles = 5000;

/** `SSL_CERT_FILE` is one file, `SSL_CERT_DIR` folders with `:` between them. */
export type TrustEnvironment = Readonly<Record<string, string | undefined>>;

/** Which places count beside those that the variables name. */
export interface TrustOptions {
  /** True: where a variable is absent, the system's places; false: none. */
  readonly system: boolean;
}

/** PEM blocks, each once. Files that cannot be read and blocks that are no certificates are passed over, as in Go. */
export const certificatesGiven = (env: TrustEnvironment, { system }: TrustOptions): readonly string[] => {
  const file = env['SSL_CERT_FILE'] || undefined;
  const folders = (env['SSL_CERT_DIR'] || undefined)?.split(':') ?? (system ? systemFolders : []);
  const files = file === undefined ? (system ? systemFiles : []) : [file];
  const first = files.map(contentOf).find((content) => content !== undefined);
  const contents = [first ?? '', ...folders.flatMap(filesOf).map((path) => contentOf(path) ?? '')];
  return [...new Set(contents.flatMap(blocksIn))];
};

/**
 * Makes what the process is given count beside Node's own authorities; says how many certificates it did not know. Later calls with the same
 * environment do nothing. Connections that were made before keep what they had.
 */
export const trustGivenCertificates = (env: TrustEnvironment, options: TrustOptions): number => {
  const asked = JSON.stringify([env['SSL_CERT_FILE'], env['SSL_CERT_DIR'], options.system]);
  if (state?.asked === asked) return state.added;
  const own = state?.own ?? getCACertificates('default');
  const known = new Set(own.map(bodyOf));
  const added = certificatesGiven(env, options).filter((block) => !known.has(bodyOf(block)) && isCertificate(block));
  if (added.length > 0 || (state?.added ?? 0) > 0) setDefaultCACertificates([...own, ...added]);
  state = { asked, own, added: added.length };
  return added.length;
};

/** What this process trusts already. */
let state: { readonly asked: string; readonly own: readonly string[]; readonly added: number } | undefined;

const contentOf = (path: string): string | undefined => {
  try {
    return statSync(path).size > maxFileBytes ? undefined : readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
};

/** Names by hash, which OpenSSL wants, are links within the folder: those files are read anyway. */
const filesOf = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .slice(0, maxFiles)
      .filter(
        (entry) => entry.isFile() || (entry.isSymbolicLink() && readlinkSync(join(folder, entry.name)).includes('/')),
      )
      .map(({ name }) => join(folder, name));
  } catch {
    return [];
  }
};

const [begin, end] = ['-----BEGIN CERTIFICATE-----', '-----END CERTIFICATE-----'];

/** With lines as OpenSSL wants them: Go takes others. */
const blocksIn = (text: string): readonly string[] => {
  const bodies = text.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z\d+/=\s]{1,65536})-----END CERTIFICATE-----/gu);
  return [...bodies].map(([, body = '']) => {
    const lines = body.replaceAll(/\s/gu, '').match(/.{1,64}/gu) ?? [];
    return [begin, ...lines, end].join('\n');
  });
};

/** The same whatever its lines. */
const bodyOf = (block: string): string => block.replaceAll(/\s/gu, '');

const isCertificate = (block: string): boolean => {
  try {
    return new X509Certificate(block).raw.length > 0;
  } catch {
    return false;
  }
};
