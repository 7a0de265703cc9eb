/** Which number a Build has (spec 01 §6.2). */
import { PermanentError } from '../errors/expected.ts';
import { buildNumberLabel } from './labels.ts';
import type { ObjectMeta } from './object-meta.ts';

/** The number of a Build, from its label. Throws PermanentError when the label is missing or no decimal number. */
export const buildNumberOf = ({ name, labels }: Pick<ObjectMeta, 'name' | 'labels'>): number => {
  const label = labels?.[buildNumberLabel];
  if (label === undefined || !/^\d{1,15}$/.test(label)) {
    throw new PermanentError(
      '',
      `error parsing the image build number: label ${buildNumberLabel} of Build ${name} is ${label === undefined ? 'missing' : `"${label}"`}, expected a decimal number`,
    );
  }
  return Number(label);
};
