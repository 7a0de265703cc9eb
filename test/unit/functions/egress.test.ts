import { describe, expect, it } from 'vitest';
import { settingsFrom } from '../../../functions/settings.ts';

const complaint = (settings: Readonly<Record<string, string>>): string => {
  try {
    settingsFrom(settings);
  } catch (error) {
    if (error instanceof Error) return error.message;
  }
  return '';
};

describe('the settings of the ways out', () => {
  it('name each entry that is none, beside whatever else is wrong', () => {
    const said = complaint({
      KPACKLESS_EGRESS_ALLOW: '10.0.0.0/8,example.com',
      KPACKLESS_EGRESS_DENY: '10.0.0.1/8',
      KPACKLESS_EGRESS_PRIVATE: 'yes',
    });
    expect(said).toContain(
      'KPACKLESS_EGRESS_ALLOW is "10.0.0.0/8,example.com": "example.com" is not a range such as 10.0.0.0/8 or fd00::/8',
    );
    expect(said).toContain('KPACKLESS_EGRESS_DENY is "10.0.0.1/8": "10.0.0.1/8" has bits behind its prefix of 8');
    expect(said).toContain('KPACKLESS_EGRESS_PRIVATE is "yes": must be allow or refuse');
  });

  it('may be left out', () => {
    expect(complaint({ KPACKLESS_EGRESS_ALLOW: '', KPACKLESS_EGRESS_DENY: '' })).not.toContain('EGRESS');
  });
});
