/**
 * The one reader of private keys for ssh: whatever file a key came in, it is handed on in OpenSSH's own format, so that the ssh library of the
 * functions and the ssh of the build pod never disagree about it.
 */
import { type Armored, labelsIn, privateBlock } from './armor.ts';
import { isDerLabel, readDer } from './der-format.ts';
import { encrypted, readOpenssh, writeOpenssh } from './openssh-format.ts';
import { checkedParts, type KeyParts, otherKind } from './parts.ts';
import { puttyHeader, readPutty } from './putty-format.ts';
import { KeyFault, wireReader } from './wire.ts';

/** Longest text that is looked at, in characters: RSA of 16,384 bits takes 13,000, and there may be words around it. */
const mostCharacters = 64 * 1024;

/** A key as OpenSSH writes it, or what is wrong with it: the rest of a sentence that begins with where it lies. */
export type ReadKey = { readonly fault: string } | { readonly openssh: string };

/** Programs that pass a file on in one line write its line breaks as two characters. */
const withLines = (text: string): string => (/[\r\n]/u.test(text) ? text : text.replaceAll(/(?:\\r)?\\n/gu, '\n'));

const sshComHeader = '---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----';

/** The format of ssh.com calls itself encrypted even when it is not; its third field tells. */
const faultOfSshCom = (text: string): KeyFault => {
  const [, body = ''] = text.split(sshComHeader);
  const content = body
    .split(/\r\n|\r|\n/u)
    .filter((line) => !/[:\\]/u.test(line))
    .join('');
  const wire = wireReader(Buffer.from(content, 'base64'));
  wire.take(8);
  wire.string();
  return wire.text() === 'none'
    ? new KeyFault('is in the format of ssh.com: convert it with ssh-keygen -i')
    : encrypted();
};

const keyWord = /^(?:ssh-|ecdsa-|sk-)[\w@.-]{1,60} AAAA/u;

/** What a text is that holds no private key. */
const faultOfOther = (text: string): KeyFault => {
  const labels = labelsIn(text);
  if (text === '') return new KeyFault('is empty: put a private key there');
  if (
    keyWord.test(text) ||
    text.startsWith('---- BEGIN SSH2 PUBLIC KEY') ||
    labels.some((label) => label.endsWith('PUBLIC KEY'))
  )
    return new KeyFault('is a public key: put the private key there that belongs to it');
  // An ASN.1 sequence with a long length, whose bytes are no text.
  if (text.startsWith('0\uFFFD'))
    return new KeyFault('is in binary (DER or PKCS#12): put it there as PEM (openssl pkey -inform der)');
  if (labels.includes('CERTIFICATE')) return new KeyFault('is a certificate: put a private key there');
  const inner = Buffer.from(text.slice(0, 200), 'base64').toString('latin1').trimStart();
  if (inner.startsWith('-----BEGIN') || inner.startsWith(puttyHeader))
    return new KeyFault('is in base64 twice: put the key itself there (stringData takes it as it is)');
  return new KeyFault('is no private key: put one there that ssh-keygen, OpenSSL or PuTTY made');
};

/** Where a line begins that begins so, be it indented; below 0 for nowhere. */
const lineWith = (text: string, start: string): number => {
  for (let at = text.indexOf(start); at >= 0; at = text.indexOf(start, at + 1))
    if (/(?:^|[\r\n])[ \t]{0,20}$/u.test(text.slice(Math.max(0, at - 21), at))) return at;
  return -1;
};

const partsIn = (text: string): KeyParts => {
  const puttyAt = lineWith(text, puttyHeader);
  if (puttyAt >= 0) return readPutty(text.slice(puttyAt));
  if (text.includes(sshComHeader)) throw faultOfSshCom(text);
  const block: Armored | undefined = privateBlock(text);
  if (block === undefined) throw faultOfOther(text);
  if (block.isEncrypted) throw encrypted();
  if (block.label === 'OPENSSH PRIVATE KEY') return readOpenssh(block.bytes);
  if (isDerLabel(block.label)) return readDer(block.label, block.bytes);
  throw otherKind(block.label === 'DSA PRIVATE KEY' ? 'of DSA' : 'in a format of its own');
};

/** Reads PKCS#8, PKCS#1, SEC1, OpenSSH's and PuTTY's files of RSA, ECDSA and Ed25519 keys; blanks and line ends of any kind do not count. */
export const readSshKey = (text: string): ReadKey => {
  if (text.length > mostCharacters)
    return { fault: `has more than ${mostCharacters} characters: leave in it the key alone` };
  try {
    return { openssh: writeOpenssh(checkedParts(partsIn(withLines(text).trim()))) };
  } catch (error) {
    if (error instanceof KeyFault) return { fault: error.message };
    throw error;
  }
};
