/** The way into a cluster whose kubeconfig or token AWS keeps: read again as files are, and at once when it is refused (DESIGN §3.34). */
import { PermanentError } from '../errors/expected.ts';
import { type AccessSource, accessTo, type Server, type User } from '../kube/access.ts';
import { parseKubeconfig } from '../kube/kubeconfig.ts';
import { readStoredSecret, type StoredSecret, type StoredSecretPorts } from './stored-secret.ts';

/** What is kept: a whole kubeconfig, or a token for an address that the registration says. */
export type StoredForm =
  | { readonly form: 'kubeconfig'; readonly context?: string | undefined }
  | { readonly form: 'token'; readonly server: string; readonly caData: string };

/** A change is taken up after so long; what is refused is read anew sooner (kube/followed-transport.ts). */
const believedMilliseconds = 60_000;

/** Only what stands in the kubeconfig itself: it has no files here, and no program is run. @throws PermanentError */
const fromKubeconfig = (text: string, where: string, context: string | undefined): readonly [Server, User] => {
  const config = parseKubeconfig(text, where, context);
  const server = config.getCurrentCluster();
  const user = config.getCurrentUser();
  if (server === null || user === null)
    throw new PermanentError('Kubeconfig', `the kubeconfig in ${where} names no current cluster and user`);
  const outside = [
    server.caFile === undefined ? undefined : 'certificate-authority',
    user.certFile === undefined ? undefined : 'client-certificate',
    user.keyFile === undefined ? undefined : 'client-key',
    user.exec === undefined ? undefined : 'exec',
    user.authProvider === undefined ? undefined : 'auth-provider',
  ].filter((name) => name !== undefined);
  if (outside.length > 0)
    throw new PermanentError(
      'Kubeconfig',
      `the kubeconfig in ${where} names ${outside.join(', ')}, which a function does not have: put certificates and token into it (kubectl config view --raw --flatten)`,
    );
  return [server, user];
};

/** Where a cluster's way in comes from. */
export const storedAccess = (secret: StoredSecret, form: StoredForm, ports: StoredSecretPorts): AccessSource => {
  const where = `${secret.store}:${secret.name}`;
  let known: { readonly text: Promise<string>; readonly until: number } | undefined;

  const textNow = (anew: boolean): Promise<string> => {
    const now = ports.clock().getTime();
    if (known !== undefined && !anew && now < known.until) return known.text;
    const reading = { text: readStoredSecret(secret, ports), until: now + believedMilliseconds };
    known = reading;
    reading.text.catch(() => {
      if (known === reading) known = undefined;
    });
    return reading.text;
  };

  return {
    read: async ({ anew }) => {
      const text = await textNow(anew);
      if (form.form === 'kubeconfig') return accessTo(...fromKubeconfig(text, where, form.context));
      const { server, caData } = form;
      return accessTo(
        { name: 'cluster', server, skipTLSVerify: false, ...(caData !== '' && { caData }) },
        { name: 'kpackless', token: text.trim() },
      );
    },
  };
};
