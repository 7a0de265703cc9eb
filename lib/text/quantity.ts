/** Kubernetes quantities by value and in canonical form (Kubernetes API reference, "Quantity"). */

/** Powers of ten and of two by suffix, as [base, exponent]; `n`, `u`, `m` are below one. */
const suffixes: Readonly<Record<string, readonly [bigint, number]>> = {
  n: [10n, -9],
  u: [10n, -6],
  m: [10n, -3],
  '': [10n, 0],
  k: [10n, 3],
  M: [10n, 6],
  G: [10n, 9],
  T: [10n, 12],
  P: [10n, 15],
  E: [10n, 18],
  Ki: [2n, 10],
  Mi: [2n, 20],
  Gi: [2n, 30],
  Ti: [2n, 40],
  Pi: [2n, 50],
  Ei: [2n, 60],
};

const pattern = /^([+-]?)(\d{1,30})?(?:\.(\d{0,30}))?(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,3}))?$/;

/** A parsed amount in units of 10⁻⁹, and whether it was written in powers of two. */
interface Amount {
  readonly nano: bigint;
  readonly binary: boolean;
}

const nanoScale = 9;

const parse = (text: string): Amount | undefined => {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', suffix = '', exponent] = match;
  if (whole === '' && fraction === '') return undefined;
  const [base, power] = exponent === undefined ? (suffixes[suffix] ?? [10n, 0]) : [10n, Number(exponent)];
  const digits = BigInt(`${whole}${fraction}` || '0');
  const up = (base === 2n ? 2n ** BigInt(power) : 10n ** BigInt(Math.max(power, 0))) * 10n ** BigInt(nanoScale);
  const down = 10n ** BigInt(fraction.length + (base === 10n ? Math.max(-power, 0) : 0));
  const product = digits * up;
  // What is finer than a billionth is rounded up, as the API server does.
  const nano = product / down + (product % down === 0n ? 0n : 1n);
  return { nano: sign === '-' ? -nano : nano, binary: base === 2n };
};

const decimalSuffixes = ['E', 'P', 'T', 'G', 'M', 'k', '', 'm', 'u', 'n'] as const;
const binarySuffixes = ['Ei', 'Pi', 'Ti', 'Gi', 'Mi', 'Ki'] as const;

const decimal = (nano: bigint): string => {
  for (const suffix of decimalSuffixes) {
    const [, power] = suffixes[suffix] ?? [10n, 0];
    const unit = 10n ** BigInt(power + nanoScale);
    if (nano % unit === 0n) return `${nano / unit}${suffix}`;
  }
  return `${nano}n`;
};

const binary = (nano: bigint): string => {
  for (const suffix of binarySuffixes) {
    const [, power] = suffixes[suffix] ?? [2n, 0];
    const unit = 2n ** BigInt(power) * 10n ** BigInt(nanoScale);
    if (nano % unit === 0n) return `${nano / unit}${suffix}`;
  }
  return decimal(nano);
};

/** The canonical form: `0.25` → `250m`, `1024Mi` → `1Gi`, `1000m` → `1`. Text that is no quantity is given back as it is. */
export const canonicalQuantity = (quantity: string | number): string => {
  const amount = parse(String(quantity));
  if (amount === undefined) return String(quantity);
  if (amount.nano === 0n) return '0';
  return amount.binary ? binary(amount.nano) : decimal(amount.nano);
};

/** Whether two quantities are the same amount, however they are written. */
export const sameQuantity = (a: string | number, b: string | number): boolean => {
  const [left, right] = [parse(String(a)), parse(String(b))];
  return left === undefined || right === undefined ? String(a) === String(b) : left.nano === right.nano;
};
