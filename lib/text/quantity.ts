/** Kubernetes quantities by value and as Kubernetes prints them (API reference, "Quantity"; checked against apimachinery 0.34). */

/** Powers of ten by suffix. */
const decimalPowers: readonly (readonly [suffix: string, power: number])[] = [
  ['E', 18],
  ['P', 15],
  ['T', 12],
  ['G', 9],
  ['M', 6],
  ['k', 3],
  ['', 0],
  ['m', -3],
  ['u', -6],
  ['n', -9],
];

/** Powers of two by suffix. */
const binaryPowers: readonly (readonly [suffix: string, power: number])[] = [
  ['Ei', 60],
  ['Pi', 50],
  ['Ti', 40],
  ['Gi', 30],
  ['Mi', 20],
  ['Ki', 10],
];

const pattern = /^([+-]?)(\d{1,30})?(?:\.(\d{0,30}))?(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,3}))?$/;

/** Decimal and binary by suffix, or decimal by exponent: printing keeps the way it was written. */
type Format = 'decimal' | 'binary' | 'exponent';

/** A parsed amount in units of 10⁻⁹, the finest there is. */
interface Amount {
  readonly nano: bigint;
  readonly format: Format;
  /** Printed as written: Kubernetes does not rewrite what its quick look takes for canonical. */
  readonly kept: boolean;
}

const nanoScale = 9;
const unit = 10n ** BigInt(nanoScale);
/** Amounts in powers of two end here. */
const mostBinary = (2n ** 63n - 1n) * unit;

/** The quick look: short enough for 64 bits, and (decimal) a power of a thousand without thousands, or (binary) not a multiple of 8. */
const looksCanonical = (whole: string, fraction: string, format: Format, power: number): boolean => {
  const digits = (whole.replace(/^0+/, '') || '0') + fraction;
  if (format === 'binary') {
    const room = 14 - (digits.length - fraction.length) - Math.trunc((power * 3) / 10);
    return fraction === '' && room >= 0 && BigInt(digits) % 8n !== 0n;
  }
  const scale = power - fraction.length;
  return (
    digits.length <= 18 && scale >= -nanoScale && scale % 3 === 0 && !digits.endsWith('000') && !digits.startsWith('0')
  );
};

const parse = (text: string): Amount | undefined => {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', suffix = '', exponent] = match;
  if (whole === '' && fraction === '') return undefined;
  const binary = binaryPowers.find(([name]) => name === suffix);
  const format = exponent !== undefined ? 'exponent' : binary === undefined ? 'decimal' : 'binary';
  const power =
    binary?.[1] ??
    (exponent === undefined ? (decimalPowers.find(([name]) => name === suffix)?.[1] ?? 0) : Number(exponent));
  const up = (format === 'binary' ? 2n ** BigInt(power) : 10n ** BigInt(Math.max(power, 0))) * unit;
  const down = 10n ** BigInt(fraction.length + (format === 'binary' ? 0 : Math.max(-power, 0)));
  const product = BigInt(`${whole}${fraction}`) * up;
  // What is finer than a billionth is rounded up.
  const exact = product / down + (product % down === 0n ? 0n : 1n);
  const nano = format === 'binary' && exact > mostBinary ? mostBinary : exact;
  return { nano: sign === '-' ? -nano : nano, format, kept: looksCanonical(whole, fraction, format, power) };
};

/** The largest power that leaves a whole number. */
const inDecimal = (nano: bigint): string => {
  const [suffix, power] = decimalPowers.find(([, power]) => nano % 10n ** BigInt(power + nanoScale) === 0n) ?? [
    'n',
    -9,
  ];
  return `${nano / 10n ** BigInt(power + nanoScale)}${suffix}`;
};

const inExponent = (nano: bigint): string => {
  let [number, power] = [nano, -nanoScale];
  while (number % 1000n === 0n) [number, power] = [number / 1000n, power + 3];
  return power === 0 ? `${number}` : `${number}e${power}`;
};

/** Whole amounts of at least 1024; everything else is clearer in powers of ten. */
const inBinary = (nano: bigint): string => {
  const whole = nano / unit;
  if (nano % unit !== 0n || (whole > -1024n && whole < 1024n)) return inDecimal(nano);
  const [suffix, power] = binaryPowers.find(([, power]) => whole % 2n ** BigInt(power) === 0n) ?? ['', 0];
  return `${whole / 2n ** BigInt(power)}${suffix}`;
};

const printers: Readonly<Record<Format, (nano: bigint) => string>> = {
  decimal: inDecimal,
  binary: inBinary,
  exponent: inExponent,
};

/**
 * As Kubernetes prints it: `0.25` → `250m`, `1024Mi` → `1Gi`, `1.5Gi` → `1536Mi`, `10000` → `10k`, `1e4` → `10e3`. Text that is no
 * quantity is given back as it is.
 */
export const canonicalQuantity = (quantity: string | number): string => {
  const text = String(quantity).trim();
  const amount = parse(text);
  if (amount === undefined || amount.kept) return text;
  return amount.nano === 0n ? '0' : printers[amount.format](amount.nano);
};

/** The same text for the same amount, however it is written. Not for readers. */
export const quantityValue = (quantity: string | number): string => {
  const text = String(quantity).trim();
  const amount = parse(text);
  return amount === undefined ? text : `${amount.nano}n`;
};

/** Whether two quantities are the same amount, however they are written. */
export const sameQuantity = (a: string | number, b: string | number): boolean => quantityValue(a) === quantityValue(b);

/** Whether the first is more than the second, however they are written; false where either is no quantity. */
export const isMoreThan = (a: string | number, b: string | number): boolean => {
  const [first, second] = [parse(String(a).trim()), parse(String(b).trim())];
  return first !== undefined && second !== undefined && first.nano > second.nano;
};
