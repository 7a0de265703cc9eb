/** What comments and pages cite: sections of docs/design.md and of the chapters in docs/spec, and numbered cases. */

/** A page that is cited: `design`, or the number of a chapter such as `02`. */
export type Page = string;

/** One citation, where it was found. */
export interface Citation {
  readonly page: Page;
  /** Number of a section such as `3.8`; without one the page itself is meant. */
  readonly section?: string;
  /** Number of a case of that chapter; `S18` is one of its sharp edges. */
  readonly caseNumber?: string;
}

/** How pages of ours and of others are named before a `§`. */
const names = /\b(?:DESIGN|[Dd]esign(?= §)|[Ss]pec (?<chapter>\d\d)|(?<short>0\d)(?= §)|(?<foreign>RFC|APPNOTE))\b/g;
const sections = /§(?<number>\d+(?:\.\d+)*)/g;
const cases = /\b(?<chapter>0\d)#(?<number>S?\d+)\b/g;

/** Comments without the marks before their lines, so that a citation may be broken anywhere. */
export const unwrapped = (text: string): string => text.replaceAll(/\n[ \t]*(?:\*|\/\/|#)? ?/g, ' ');

/** The page that a `§` belongs to is the one named last before it; a page of others is none of ours. */
export const citationsIn = (text: string, here: Page | undefined): readonly Citation[] => {
  const flat = unwrapped(text);
  const named = [...flat.matchAll(names)].map(({ index, groups = {} }) => ({
    index,
    page: groups['foreign'] === undefined ? (groups['chapter'] ?? groups['short'] ?? 'design') : 'foreign',
  }));
  const ownerOf = (at: number): Page | undefined =>
    named.findLast(({ index }) => index < at && flat.slice(index, at).length < nearest)?.page ?? here;
  const pages = named.filter(({ page }) => page !== 'foreign').map(({ page }): Citation => ({ page }));
  const ofSections = [...flat.matchAll(sections)].flatMap(({ index, groups = {} }): readonly Citation[] => {
    const page = ownerOf(index) ?? 'nothing';
    return page === 'foreign' ? [] : [{ page, section: groups['number'] ?? '' }];
  });
  const ofCases = [...flat.matchAll(cases)].map(
    ({ groups = {} }): Citation => ({ page: groups['chapter'] ?? '', caseNumber: groups['number'] ?? '' }),
  );
  return [...pages, ...ofSections, ...ofCases];
};

/** Characters between the name of a page and a `§` that still belongs to it: a comment of some lines. */
const nearest = 400;

/** As it is written. */
export const shown = ({ page, section, caseNumber }: Citation): string => {
  if (caseNumber !== undefined) return `${page}#${caseNumber}`;
  const name = page === 'design' ? 'DESIGN' : `spec ${page}`;
  return section === undefined ? name : `${name} §${section}`;
};

/** Ways of citing that nobody could follow: a page without its sign, or a list that goes on without one. */
const unreadable: readonly RegExp[] = [
  /\bDESIGN(?! §)/,
  /\b[Ss]pec (?:chapter )?\d(?!\d)/,
  /\b[Ss]pec chapter 0/,
  /\b(?:DESIGN|[Ss]pec \d\d) §[\d.]+(?:, §[\d.]+)*(?:, |–)\d/,
];

/** The first of them in a text. */
export const unreadableIn = (text: string): readonly string[] =>
  unreadable.flatMap((form) => form.exec(unwrapped(text))?.[0] ?? []);
