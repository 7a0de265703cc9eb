/** Pages on which people log in: what hosts show in place of an answer to whoever they do not know. */

/** Statuses by which a repository that moved is told, where others send on for this once. */
export const isMove = (status: number): boolean => status === 301 || status === 308;

/** Parts of names and paths by which login pages go, at GitLab (`users/sign_in`), Azure DevOps (`_signin`), Keycloak, ADFS, SAML and OAuth. */
const placeWords: ReadonlySet<string> = new Set(
  (
    'login signin sign_in _signin sign-in logon log-in sso saml saml2 oauth oauth2 authorize auth openid openid-connect ' +
    'adfs idp cas accounts users'
  ).split(' '),
);

/** Does a URL lead to where people log in? By the labels of its host and the parts of its path. */
export const isLoginPlace = ({ hostname, pathname }: URL): boolean =>
  [...hostname.split('.'), ...pathname.split('/')].some((word) => placeWords.has(word.toLowerCase()));

/** A page of so many characters has little more than its form on it, so one word is enough. */
const smallPage = 4096;

const words = [
  'log in',
  'login',
  'logon',
  'sign in',
  'signin',
  'sign-in',
  'sign_in',
  'single sign',
  'saml',
  'authenticat',
];
const signs = ['type="password"', "type='password'", 'type=password', 'samlrequest', 'name="password"'];

/** Is this HTML a page to log in on? `html` is its beginning. */
export const isLoginPage = (html: string): boolean => {
  const text = html.toLowerCase();
  const titleAt = text.indexOf('<title');
  const title = titleAt < 0 ? '' : (text.slice(titleAt, titleAt + 300).split('</title', 1)[0] ?? '');
  const looked = text.length <= smallPage ? text : title;
  return signs.some((sign) => text.includes(sign)) || words.some((word) => looked.includes(word));
};
