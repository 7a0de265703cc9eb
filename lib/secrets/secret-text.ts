/**
 * Text out of a Secret, checked when it is read: whatever is wrong with it is said at once and by name, instead of as a refused login
 * later. One place for what is read over the API and for what is mounted into build pods.
 */
import { ExpectedError } from '../errors/expected.ts';

/** Where in a cluster a text lies. */
export interface SecretPlace {
  /** Name of the Secret. */
  readonly secret: string;
  readonly key: string;
}

/** A Secret holds something that cannot be used. Tried again slowly: nobody tells us when it is put right. Never quotes its content. */
export class SecretError extends ExpectedError {
  override readonly name: string = 'SecretError';

  constructor(message: string, options?: ErrorOptions) {
    super(message, { ...options, pace: 'slow' });
  }
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A text of any number of lines, such as a private key. @throws SecretError when the bytes are no text */
export const secretText = ({ secret, key }: SecretPlace, bytes: Uint8Array): string => {
  try {
    return strict.decode(bytes);
  } catch {
    throw new SecretError(`${key} of Secret ${secret} is not text in UTF-8: write it anew`);
  }
};

const byteOrderMark = '\uFEFF';

/**
 * A text that counts whatever is written in its comments, such as a private key or known_hosts: without byte order mark, in UTF-16 if that mark
 * says so, and with a replacement character for each byte that is no text.
 */
export const lenientText = (bytes: Uint8Array): string => {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  return new TextDecoder('utf-8').decode(bytes);
};

/** What is wrong with a user name, password or token, as the rest of a sentence that begins with its name; undefined when nothing is. */
export const faultOfWord = (text: string): string | undefined => {
  if (text.startsWith(byteOrderMark)) return 'begins with a byte order mark: write it anew, as plain UTF-8';
  if (/^[^\r\n]*(?:\r?\n)+$/u.test(text))
    return 'ends with a line break: write it without one (echo adds one; printf, echo -n and --from-literal do not)';
  if (/[\r\n]/u.test(text)) return 'holds a line break: it has to be one line';
  return /\p{Cc}/u.test(text) ? 'holds a control character: write it anew' : undefined;
};

/** A user name, password or token. @throws SecretError that names Secret and key when it holds a line break or another control character */
export const secretWord = (place: SecretPlace, bytes: Uint8Array): string => {
  const text = secretText(place, bytes);
  const fault = faultOfWord(text);
  if (fault !== undefined) throw new SecretError(`${place.key} of Secret ${place.secret} ${fault}`);
  return text;
};
