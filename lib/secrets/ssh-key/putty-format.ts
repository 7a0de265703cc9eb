/** Files of PuTTY, versions 1 to 3, by which it sees whether they are whole. Source: PuTTY manual, appendix C "PPK file format". */
import { createHash, createHmac } from 'node:crypto';
import { encrypted } from './openssh-format.ts';
import { type KeyParts, otherKind, sshCurve } from './parts.ts';
import { damaged, KeyFault, packed, wireReader } from './wire.ts';

/** What such a file begins with. */
export const puttyHeader = 'PuTTY-User-Key-File-';

const header = /^PuTTY-User-Key-File-(?<version>[123]):[ \t]*(?<type>\S+)$/u;
const base64 = /^[A-Za-z0-9+/]*={0,2}$/u;
const mostLines = 1000;

/** The bytes of a block that begins with how many lines it has. */
const blockNamed = (name: string, lines: readonly string[]): Buffer => {
  const at = lines.findIndex((line) => line.startsWith(`${name}-Lines:`));
  const count = Number(lines[at]?.slice(`${name}-Lines:`.length).trim());
  if (at < 0 || !Number.isInteger(count) || count < 1 || count > mostLines) throw damaged();
  const block = lines.slice(at + 1, at + 1 + count);
  if (block.length < count || !block.every((line) => base64.test(line))) throw damaged();
  return Buffer.from(block.join(''), 'base64');
};

/** PuTTY writes the seed as a number, the lowest byte first, without the zeros at its end. */
const seedOf = (number: Buffer): Buffer => {
  if (number.length > 32) throw damaged();
  return Buffer.concat([number, Buffer.alloc(32 - number.length)]);
};

const partsOf = (type: string, publicBlob: Buffer, privateBlob: Buffer): KeyParts => {
  const [open, secret] = [wireReader(publicBlob), wireReader(privateBlob)];
  if (open.text() !== type) throw damaged();
  if (type === 'ssh-rsa') {
    const [e, n] = [open.number(), open.number()];
    const [d, p, q, iqmp] = [secret.number(), secret.number(), secret.number(), secret.number()];
    return { kind: 'rsa', n, e, d, p, q, iqmp };
  }
  if (type === 'ssh-ed25519') return { kind: 'ed25519', point: open.string(), seed: seedOf(secret.string()) };
  if (type.startsWith('ecdsa-sha2-')) {
    const curve = sshCurve(open.text());
    return { kind: 'ecdsa', curve, point: open.string(), d: secret.number() };
  }
  throw otherKind(type === 'ssh-dss' ? 'of DSA' : 'of another kind than RSA, ECDSA and Ed25519');
};

/** The value of a line `Name: value`, blanks around it left out. */
const lineNamed = (name: string, lines: readonly string[]): string | undefined =>
  lines.find((line) => line.startsWith(`${name}:`))?.slice(name.length + 1);

interface Sealed {
  readonly version: string;
  readonly type: string;
  readonly comment: string;
  readonly publicBlob: Buffer;
  readonly privateBlob: Buffer;
}

/** What is written as `Private-MAC`, or in older files of version 1 as `Private-Hash`, of a key without passphrase. */
const sealOf = ({ version, type, comment, publicBlob, privateBlob }: Sealed, encoding: 'latin1' | 'utf8'): Buffer => {
  const whole = [type, 'none', Buffer.from(comment, encoding), publicBlob, privateBlob].map(packed);
  if (version === '3') return createHmac('sha256', '').update(Buffer.concat(whole)).digest();
  const key = createHash('sha1').update('putty-private-key-file-mac-key').digest();
  return createHmac('sha1', key)
    .update(version === '2' ? Buffer.concat(whole) : privateBlob)
    .digest();
};

/** The comment was perhaps written in the encoding of a Windows and turned to UTF-8 since; where it was lost on the way, nobody can know the seal. */
const isSealed = (sealed: Sealed, lines: readonly string[]): boolean => {
  const { version, comment, privateBlob } = sealed;
  if (comment.includes('\uFFFD')) return true;
  const found = (lineNamed('Private-MAC', lines) ?? lineNamed('Private-Hash', lines) ?? '').trim().toLowerCase();
  const seals = [comment, comment.trim()].flatMap((one) =>
    (['utf8', 'latin1'] as const).map((encoding) => sealOf({ ...sealed, comment: one }, encoding)),
  );
  const all = version === '1' ? [...seals, createHash('sha1').update(privateBlob).digest()] : seals;
  return all.some((seal) => seal.toString('hex') === found);
};

const names = /[ \t](?=(?:Encryption|Comment|P(?:ublic|rivate)-Lines|Private-(?:MAC|Hash)): )/gu;

/** Lines that YAML folded into one are apart again: names begin one, and nothing in base64 has a blank. */
const unfolded = (text: string): readonly string[] => {
  if (/[\r\n]/u.test(text)) return text.split(/\r\n|\r|\n/u).map((line) => line.trimStart());
  return text
    .split(names)
    .flatMap((line) =>
      /^P(?:ublic|rivate)-Lines:/u.test(line) ? line.replace(/:[ \t]+/u, ':').split(/[ \t]+/u) : line,
    );
};

/** Parts of the key in a text that begins with `puttyHeader`. @throws KeyFault, for an encrypted one too */
export const readPutty = (text: string): KeyParts => {
  const written = unfolded(text);
  const lines = written.map((line) => line.trim());
  const { version = '', type } = header.exec(lines[0] ?? '')?.groups ?? {};
  if (type === undefined)
    throw new KeyFault('is a file of a newer PuTTY than is known here: export it as an OpenSSH key');
  const encryption = lineNamed('Encryption', lines);
  if (encryption === undefined) throw damaged();
  if (encryption.trim() !== 'none') throw encrypted();
  const comment = (lineNamed('Comment', written) ?? '').replace(/^ /u, '');
  const [publicBlob, privateBlob] = [blockNamed('Public', lines), blockNamed('Private', lines)];
  const parts = partsOf(type, publicBlob, privateBlob);
  if (!isSealed({ version, type, comment, publicBlob, privateBlob }, lines)) throw damaged();
  return parts;
};
