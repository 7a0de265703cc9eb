/** What the code of a build tries against the steps beside it, in sh; each attempt says whether it worked. */

interface Attack {
  readonly what: string;
  /** Ends well when it worked. */
  readonly command: string;
}

const write = (path: string): string => `echo x >> ${path}`;

/** None of them may work, in any step that runs code of tenants, as whatever user. */
export const attacks: readonly Attack[] = [
  { what: 'read the token', command: 'cat /var/run/secrets/kubernetes.io/serviceaccount/token' },
  { what: 'read secrets', command: 'ls /var/build-secrets/*' },
  { what: 'read registry logins', command: 'cat /builder/home/.docker/config.json' },
  { what: 'read git logins', command: 'grep -ri "extraheader\\|password" /workspace/.git/config' },
  // In brackets, so that the attack does not find itself.
  { what: 'see other steps', command: 'grep -l "process/[c]ompletion" /proc/[0-9]*/cmdline' },
  { what: 'write the program', command: write('/programs/waiter') },
  {
    what: 'write its libc',
    command: `ls /programs/.waiter/lib/libc.so.6 && ${write('/programs/.waiter/lib/libc.so.6')}`,
  },
  { what: 'replace the program', command: 'mv /programs/waiter /programs/other' },
  { what: 'remount programs', command: 'mount -o remount,rw,bind /programs' },
  { what: 'write what starts the others', command: `ls /turn/turn && ${write('/turn/turn')}` },
  { what: 'replace what starts the others', command: 'ls /turn/busybox && cp /bin/sh /turn/busybox' },
  { what: 'put another in its place', command: 'ls /turn/turn && mv /turn/turn /turn/other' },
  { what: 'remount what starts the others', command: 'mount -o remount,rw,bind /turn' },
  { what: 'say another is done', command: write('/buildWait/export/done') },
  { what: 'say another has failed', command: write('/buildWait/completion/failed') },
  { what: 'write in the folder of all', command: write('/buildWait/build-waiter') },
  { what: 'link for another', command: 'ln -s /etc/passwd /buildWait/restore/failed' },
  { what: 'remove what another said', command: 'rm /buildWait/prepare/done' },
  { what: 'make a folder of signals', command: 'mkdir /buildWait/nobody' },
  { what: 'write the report', command: write('/var/report/report.toml') },
  { what: 'choose the run image', command: write('/analyzed/analyzed.toml') },
  { what: 'write the environment', command: write('/platform/env/NODE_OPTIONS') },
  { what: 'say what the source is', command: write('/projectMetadata/project-metadata.toml') },
  { what: 'write the extender', command: write('/extender/extender') },
  { what: 'write images to extend', command: 'touch /kaniko/cache/base/image' },
];

/** Says which mounts are writable, whatever is known of them. */
const writableMounts = `
while read -r _ path _ options _; do
  case "$path" in /proc*|/sys*|/dev*) continue;; esac
  case "$options" in rw*) if [ -w "$path" ]; then echo "writable: $path"; fi;; esac
done < /proc/self/mounts
`;

/** The whole of it. Attempts go on whatever becomes of the ones before. */
export const attackScript = `${writableMounts}
${attacks
  .map(
    ({ what, command }) =>
      `if (${command}) > /dev/null 2>&1; then echo "attack: ${what}: worked"; else echo "attack: ${what}: refused"; fi`,
  )
  .join('\n')}
`;
