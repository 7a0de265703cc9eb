/** Values of the Authorization header (RFC 7617, RFC 6750): made here and nowhere else, so that none can smuggle in another header. */
import { PermanentError } from '../errors/expected.ts';

/** User and password, sent as they are. */
export interface Login {
  readonly username: string;
  readonly password: string;
}

/** Visible ASCII and blanks between: what every host takes (RFC 9110 §5.5). The value itself is not told. */
const headerValue = (value: string): string => {
  if (/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/u.test(value)) return value;
  throw new PermanentError('', 'the credential holds characters that may not stand in a header: write it anew');
};

/** `Basic …`; in base64, so everything may be in it. */
export const basicAuthorization = ({ username, password }: Login): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

/** `Bearer …`. @throws PermanentError for what cannot be sent */
export const bearerAuthorization = (token: string): string => headerValue(`Bearer ${token}`);

/** A whole value as somebody wrote it. @throws PermanentError for what cannot be sent */
export const givenAuthorization = (value: string): string => headerValue(value);
