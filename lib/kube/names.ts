/** Names as Kubernetes allows them (API concepts, "Object Names and IDs"). Each character is looked at once. */

const characters = /^[a-z0-9.-]+$/;
const longestSubdomain = 253;
const longestLabel = 63;

const isPart = (part: string): boolean => part !== '' && !part.startsWith('-') && !part.endsWith('-');

/** May an object be called that? An RFC 1123 subdomain: lower-case letters, digits, `-` and `.`, at most 253, ends of parts no `-`. */
export const isSubdomain = (text: string): boolean =>
  text.length <= longestSubdomain && characters.test(text) && text.split('.').every(isPart);

/** May a namespace be called that? An RFC 1123 label: as a subdomain, without `.`, at most 63. */
export const isLabel = (text: string): boolean =>
  text.length <= longestLabel && characters.test(text) && !text.includes('.') && isPart(text);
