/** `WWW-Authenticate` (RFC 9110 §11.6.1; distribution token specification): what a registry wants to see before it answers. */

/** How to authenticate: Bearer names a token service, Basic sends the credential itself. */
export type Challenge =
  | { readonly scheme: 'basic' }
  | {
      readonly scheme: 'bearer';
      readonly realm: string;
      readonly service: string | undefined;
      /** Scopes the registry asks for, split at spaces. */
      readonly scopes: readonly string[];
    };

interface Offer {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const token = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const separator = /[\s,]*/y;
const equals = /\s*=\s*/y;
const quoted = /"((?:[^"\\]|\\.)*)"/y;

/** Reads `scheme k=v, k="v", scheme k=v …`; stops without complaint where the header stops making sense. */
const parseOffers = (header: string): readonly Offer[] => {
  const offers: { scheme: string; parameters: Map<string, string> }[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  for (;;) {
    take(separator);
    const word = take(token)?.[0];
    if (word === undefined) return offers;
    const current = offers.at(-1);
    if (take(equals) === null || current === undefined) {
      offers.push({ scheme: word.toLowerCase(), parameters: new Map() });
      continue;
    }
    const value = take(quoted)?.[1]?.replaceAll(/\\(.)/g, '$1') ?? take(token)?.[0];
    if (value === undefined) return offers;
    current.parameters.set(word.toLowerCase(), value);
  }
};

/**
 * The Bearer challenge of a header, else the Basic one, as go-containerregistry chooses; several headers come joined by commas. Undefined when there is
 * none we speak.
 */
export const parseChallenge = (header: string | null): Challenge | undefined => {
  const offers = parseOffers(header ?? '');
  for (const { scheme, parameters } of offers) {
    const realm = parameters.get('realm');
    if (scheme === 'bearer' && realm !== undefined) {
      const scopes = (parameters.get('scope') ?? '').split(' ').filter((scope) => scope !== '');
      return { scheme, realm, service: parameters.get('service'), scopes };
    }
  }
  return offers.some(({ scheme }) => scheme === 'basic') ? { scheme: 'basic' } : undefined;
};
