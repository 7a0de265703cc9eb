/** What another program wrote (git, a library, a stack trace) made fit to be shown: secrets it may have quoted are taken out. */
import { shownUrl } from './shown-url.ts';

/** Up to a blank or a quote: what programs put around URLs. */
const urls = /\b(?:https?|ssh|wss?|ftp):\/\/[^\s'"<>`]+/giu;

/** A header of its own, to the end of its line. */
const headers = /\b((?:proxy-)?authorization["']?[ \t]*[:=])[^\r\n]*/giu;

/** What looks like the value of one: not a word of prose. */
const values = /\b([Bb]earer|[Bb]asic)[ \t]+(?=[a-z]{0,64}[\dA-Z=+/_~-])[^\s'"<>`]{6,}/gu;

/** What no login holds. */
const isBorder = (character: string | undefined): boolean => character === undefined || /[\s'"<>`]/u.test(character);

/** `user:password` that an `@` follows; a path is none, and neither is a URL, which was looked at before. */
const isLogin = (text: string): boolean => {
  const colon = text.indexOf(':');
  return colon > 0 && !text.slice(0, colon).includes('/') && !text.startsWith('//', colon + 1);
};

/**
 * The text without `user:password@` where no scheme is before it; `app:tag@sha256:…` is the name of an image. Each `@` is looked back from no
 * further than to the one before it, so that it takes linear time.
 */
const withoutLogins = (text: string): string => {
  let kept = '';
  let done = 0;
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    if (/^sha\d{3}:/u.test(text.slice(at + 1, at + 8))) continue;
    let start = at;
    while (start > done && !isBorder(text[start - 1]) && text[start - 1] !== '@') start -= 1;
    // A password may hold an `@`: what follows a login that was taken out, up to the next one, is its rest.
    const isRest = start === done && done > 0;
    if (!isRest && !isLogin(text.slice(start, at))) continue;
    kept += text.slice(done, start);
    done = at + 1;
  }
  return kept + text.slice(done);
};

/** What any of the rules begins with or needs, and whatever is not printable ASCII. */
const suspicious = /[^\n\x20-\x7e]|[@:=]|bearer|basic/iu;

/** Whether a text is printable and no rule here could find anything in it, which one look tells: names, numbers, words of ours. */
export const isPlain = (text: string): boolean => !suspicious.test(text);

/** The text with each URL as `shownUrl` shows it, without logins and values of Authorization headers. Lines stay lines. */
export const shownText = (text: string): string =>
  withoutLogins(text.replaceAll(urls, (url) => shownUrl(url)))
    .replaceAll(headers, '$1 REDACTED')
    .replaceAll(values, '$1 REDACTED');
