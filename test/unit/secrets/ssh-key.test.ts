import { createHmac, createPrivateKey, generateKeyPairSync } from 'node:crypto';
import * as fc from 'fast-check';
import ssh2 from 'ssh2';
import { beforeAll, describe, expect, it } from 'vitest';
import { readSshKey } from '../../../lib/secrets/ssh-key/read.ts';
import { packed, packedNumber } from '../../../lib/secrets/ssh-key/wire.ts';
import { opensslFiles, type TestKey, testKeys } from '../../support/ssh-keys.ts';

const opensshOf = (text: string): string => {
  const read = readSshKey(text);
  return 'openssh' in read ? read.openssh : `fault: ${read.fault}`;
};
const faultOf = (text: string): string => {
  const read = readSshKey(text);
  return 'fault' in read ? read.fault : 'none';
};
/** The public half as the ssh library of the functions reads it. */
const publicOf = (openssh: string): string => {
  const parsed = ssh2.utils.parseKey(openssh);
  if (parsed instanceof Error) throw parsed;
  const [key] = [parsed].flat();
  if (key === undefined) throw new Error('no key');
  return key.getPublicPEM();
};

let keys: readonly TestKey[];
beforeAll(() => {
  keys = testKeys();
});
const files = (): readonly string[] => keys.flatMap(opensslFiles);

describe('a private key for ssh', () => {
  it('is the same whichever file it came in: PKCS#8, PKCS#1, SEC1 or what is made of them', () => {
    for (const key of keys) {
      const [first = '', ...others] = opensslFiles(key).map(opensshOf);
      expect(first).toMatch(/^-----BEGIN OPENSSH PRIVATE KEY-----\n/);
      expect(others.every((other) => other === first)).toBe(true);
      expect(opensshOf(first)).toBe(first);
    }
  });

  it('has the public half that belongs to it', () => {
    // The library writes the public half of Ed25519 in another form.
    for (const key of keys.filter(({ name }) => name !== 'Ed25519')) {
      const [file = ''] = opensslFiles(key);
      const spki = key.publicKey.export({ format: 'pem', type: 'spki' }) as string;
      expect(publicOf(opensshOf(file)).trim()).toBe(spki.trim());
    }
  });

  it.each<[string, (text: string) => string]>([
    ['CRLF', (text) => text.replaceAll('\n', '\r\n')],
    ['CR alone', (text) => text.replaceAll('\n', '\r')],
    ['a byte order mark', (text) => `\uFEFF${text}`],
    ['blanks and empty lines before it', (text) => `\n \t\n${text}`],
    ['indented lines', (text) => text.replaceAll(/^/gmu, '    ')],
    ['no last line break', (text) => text.trimEnd()],
    ['blanks behind each line', (text) => text.replaceAll('\n', '  \n')],
    ['lines folded into one by YAML', (text) => text.replaceAll('\n', ' ')],
    ['line breaks written as two characters', (text) => text.trimEnd().replaceAll('\n', '\\n')],
    ['no line breaks within', (text) => text.replaceAll(/(?<=[A-Za-z0-9+/])\n(?=[A-Za-z0-9+/])/gu, '')],
    ['words before and behind it', (text) => `Bag Attributes\n    friendlyName: me\n${text}\nand more`],
    [
      'its public half before it',
      (text) => `-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n${text}`,
    ],
    [
      'parameters of its curve before it',
      (text) => `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${text}`,
    ],
  ])('means the same with %s', (_, changed) => {
    for (const file of [...files(), ...files().map(opensshOf)]) expect(opensshOf(changed(file))).toBe(opensshOf(file));
  });

  it('is read from PKCS#8 with its public half behind it, as other programs than OpenSSL write Ed25519 (RFC 5958)', () => {
    const ed25519 = keys.find(({ name }) => name === 'Ed25519');
    const der = ed25519?.privateKey.export({ format: 'der', type: 'pkcs8' }) ?? Buffer.alloc(0);
    const x = Buffer.from(ed25519?.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
    const body = Buffer.concat([Buffer.from('020101', 'hex'), der.subarray(5), Buffer.from('812100', 'hex'), x]);
    const pem = (bytes: Buffer): string =>
      `-----BEGIN PRIVATE KEY-----\n${bytes.toString('base64')}\n-----END PRIVATE KEY-----\n`;
    expect(opensshOf(pem(Buffer.concat([Buffer.of(0x30, body.length), body])))).toBe(opensshOf(pem(der)));
  });

  it('of PuTTY is read although its seed ends with zeros, which PuTTY leaves out', () => {
    for (const zeros of [0, 1, 5]) {
      const seed = Buffer.concat([Buffer.alloc(32 - zeros, 7), Buffer.alloc(zeros)]);
      const key = createPrivateKey({
        key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
        format: 'der',
        type: 'pkcs8',
      });
      const pem = key.export({ format: 'pem', type: 'pkcs8' }) as string;
      const point = Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url');
      const open = Buffer.concat([packed('ssh-ed25519'), packed(point)]).toString('base64');
      const secret = packed(seed.subarray(0, 32 - zeros)).toString('base64');
      const blobs = [open, secret].map((blob) => Buffer.from(blob, 'base64'));
      const whole = Buffer.concat(['ssh-ed25519', 'none', 'x', ...blobs].map(packed));
      const putty = [
        'PuTTY-User-Key-File-3: ssh-ed25519',
        'Encryption: none',
        'Comment: x',
        'Public-Lines: 1',
        open,
        'Private-Lines: 1',
        secret,
        `Private-MAC: ${createHmac('sha256', '').update(whole).digest('hex')}`,
      ].join('\r\n');
      expect(opensshOf(putty)).toBe(opensshOf(pem));
      expect(faultOf(putty.replace('Comment: x', 'Comment: y'))).toMatch(/^is damaged/);
      expect(faultOf(putty.replace(/(?<=MAC: )./u, (digit) => (digit === '0' ? '1' : '0')))).toMatch(/^is damaged/);
    }
  });

  it.each([
    ['PKCS#8', { format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x' }],
    ['PKCS#1', { format: 'pem', type: 'pkcs1', cipher: 'aes-256-cbc', passphrase: 'x' }],
  ] as const)('that is encrypted is refused with that word: %s', (_, how) => {
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 1024,
      publicKeyEncoding: { format: 'pem', type: 'spki' },
      privateKeyEncoding: how,
    });
    for (const text of [privateKey, privateKey.replaceAll('\n', '\r\n'), privateKey.replaceAll('\n', ' ')])
      expect(faultOf(text)).toMatch(/^is encrypted/);
  });

  it.each([
    ['nothing', '  \n', /^is empty/],
    ['a public key', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA me', /^is a public key/],
    ['a public key in PEM', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----', /^is a public key/],
    [
      'a public key of ssh.com',
      '---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----',
      /^is a public key/,
    ],
    ['a certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', /^is a certificate/],
    [
      'base64 of a key',
      Buffer.from('-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA').toString('base64'),
      /^is in base64 twice/,
    ],
    ['words', 'hunter2', /^is no private key/],
    [
      'a key that is cut off',
      '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA',
      /^is cut off: its last line/,
    ],
    ['a damaged key', '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----', /^is damaged/],
    ['a key that is no base64', '-----BEGIN PRIVATE KEY-----\nA!AA\n-----END PRIVATE KEY-----', /^is damaged/],
    ['DSA', '-----BEGIN DSA PRIVATE KEY-----\nAAAA\n-----END DSA PRIVATE KEY-----', /^is a key of DSA, which/],
    ['something too long', 'x'.repeat(70_000), /^has more than 65536 characters/],
  ])('%s is told for what it is', (_, text, why) => {
    expect(faultOf(text)).toMatch(why);
    expect(faultOf(text)).not.toMatch(/hunter2|AAAA/);
  });

  it.each([
    ['ed448', () => generateKeyPairSync('ed448'), /of type ed448/],
    ['x25519', () => generateKeyPairSync('x25519'), /of type x25519/],
    ['rsa-pss', () => generateKeyPairSync('rsa-pss', { modulusLength: 1024 }), /of type rsa-pss/],
    ['secp256k1', () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' }), /of another curve than nistp256/],
    ['RSA of 512 bits', () => generateKeyPairSync('rsa', { modulusLength: 512 }), /of RSA with 512 bits/],
  ])('of a kind that ssh does not take is refused by name: %s', (_, pair, why) => {
    expect(faultOf(pair().privateKey.export({ format: 'pem', type: 'pkcs8' }) as string)).toMatch(why);
  });

  it('whose numbers do not belong together is damaged, not handed on', () => {
    const [n, e] = [Buffer.alloc(256, 0xff), Buffer.of(1, 0, 1)];
    const parts = [n, e, e, e, e, e].map(packedNumber);
    const secret = Buffer.concat([Buffer.alloc(8), packed('ssh-rsa'), ...parts, packed('')]);
    const none = packed('none');
    const file = Buffer.concat([
      Buffer.from('openssh-key-v1\0'),
      none,
      none,
      packed(''),
      Buffer.of(0, 0, 0, 1),
      packed(''),
      packed(secret),
    ]);
    const text = `-----BEGIN OPENSSH PRIVATE KEY-----\n${file.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----`;
    expect(faultOf(text)).toMatch(/^is damaged/);
  });

  it('whatever it is, is read or refused in one sentence that quotes nothing', () => {
    const whole = [...files(), ...files().map(opensshOf)];
    const change = fc.tuple(fc.constantFrom(...whole), fc.nat(), fc.nat({ max: 40 }), fc.string());
    fc.assert(
      fc.property(change, ([file, at, size, more]) => {
        const place = at % file.length;
        const read = readSshKey(`${file.slice(0, place)}${more}${file.slice(place + size)}`);
        expect('openssh' in read ? publicOf(read.openssh) : read.fault).toMatch(/^(?:-----BEGIN|ssh-|is |has |holds )/);
      }),
      { numRuns: 300 },
    );
  });
});
