/** Who is nobody's role and may do everything: whoever deploys. */
export const administrator = { accessKeyId: 'AKIAADMINISTRATOR', secretAccessKey: 'of-the-emulator' };
