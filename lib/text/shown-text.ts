/** What another program wrote (git, a library, a stack trace) made fit to be shown: secrets it may have quoted are taken out. */
import { shownUrl } from './shown-url.ts';

/** Up to a blank or a quote: what programs put around URLs. */
const urls = /\b(?:https?|ssh|wss?|ftp):\/\/[^\s'"<>`]+/giu;

/** A header of its own, to the end of its line. */
const headers = /\b((?:proxy-)?authorization["']?[ \t]*[:=])[^\r\n]*/giu;

/** What looks like the value of one: not a word of prose. */
const values = /\b([Bb]earer|[Bb]asic)[ \t]+(?=[a-z]{0,64}[\dA-Z=+/_~-])[^\s'"<>`]{6,}/gu;

/** `user:password@host` without a scheme; `app:tag@sha256:…` is the name of an image. */
const logins = /(^|[\s'"<>`=])[^\s'"<>`:@/]{1,256}:[^\s'"<>`@]{1,1024}@(?!sha\d{3}:)/gu;

/** The text with each URL as `shownUrl` shows it, without logins and values of Authorization headers. Lines stay lines. */
export const shownText = (text: string): string =>
  text
    .replaceAll(urls, (url) => shownUrl(url))
    .replaceAll(logins, '$1')
    .replaceAll(headers, '$1 REDACTED')
    .replaceAll(values, '$1 REDACTED');
