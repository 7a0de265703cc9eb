/** What a trial on a real account does, and what each step shows that no emulator can (docs/aws.md, "Trial"). */

/** What it is told. */
export interface Trial {
  readonly stage: string;
  readonly region: string;
  /** An EKS cluster without kpack, as EKS calls it. */
  readonly eks: string;
  /** How kubectl enters it: a context of the kubeconfig. */
  readonly context: string;
  readonly relayImage: string;
  /** A manifest with an Image and what it needs: namespace, account, Secret, builder. */
  readonly image: string;
}

/** One command. */
export interface Step {
  readonly what: string;
  readonly command: readonly string[];
  /** Takes away what others made: done whatever became of them. */
  readonly undoes?: true;
}

/** The name that the cluster has in the installation meanwhile. */
const cluster = 'trial';

/** The commands in their order. Pure. */
export const trialSteps = ({ stage, region, eks, context, relayImage, image }: Trial): readonly Step[] => {
  const kpackless = (...words: readonly string[]) => [
    'npx',
    'kpackless',
    ...words,
    '--stage',
    stage,
    '--region',
    region,
  ];
  const kubectl = (...words: readonly string[]) => ['kubectl', '--context', context, ...words];
  const relay = ['-n', 'kpack', 'deployment/kpackless-relay'];
  return [
    { what: 'the stack is deployed', command: ['npm', 'run', 'deploy', '--', '--stage', stage] },
    { what: 'functions, settings, quotas and queues are as they should be', command: kpackless('doctor') },
    {
      what: 'the cluster is let in: access entry, roles, trust policies, pod identity',
      command: [
        ...kpackless('cluster', 'add', cluster, '--eks', eks, '--relay-image', relayImage, '--tenant-everywhere'),
        '--context',
        context,
      ],
    },
    {
      what: 'the relay runs, as its role',
      command: kubectl('rollout', 'status', ...relay, '--timeout', '5m'),
    },
    { what: 'both sides reach each other', command: kpackless('cluster', 'check', cluster) },
    { what: 'an Image is applied', command: kubectl('apply', '-f', image) },
    {
      what: 'it is built: queues, mappings, functions and pods work together',
      command: kubectl('wait', '--for', 'condition=Ready', '--timeout', '20m', 'images.kpack.io', '--all', '-A'),
    },
    { what: 'what was counted', command: kpackless('status') },
    {
      what: 'the Image is deleted',
      command: kubectl('delete', '--ignore-not-found', '-f', image),
      undoes: true,
    },
    {
      what: 'the relay is deleted',
      command: kubectl('delete', '--ignore-not-found', ...relay),
      undoes: true,
    },
    { what: 'the cluster is forgotten', command: kpackless('cluster', 'remove', cluster), undoes: true },
    {
      what: 'the stack is removed; its table stays',
      command: ['npm', 'run', 'remove', '--', '--stage', stage],
      undoes: true,
    },
  ];
};

/** As somebody would type it. */
export const shownCommand = (words: readonly string[]): string =>
  words.map((word) => (/^[\w./:@=,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`)).join(' ');

/** What became of a step. */
export interface Done {
  readonly step: Step;
  readonly outcome: 'failed' | 'left out' | 'well';
}

/** Does the steps by `run`, which says whether a command ended well. After one that failed only what undoes is done. */
export const take = async (
  steps: readonly Step[],
  run: (step: Step, place: string) => Promise<boolean>,
): Promise<readonly Done[]> => {
  const done: Done[] = [];
  for (const [index, step] of steps.entries()) {
    const isLeftOut = step.undoes !== true && done.some(({ outcome }) => outcome === 'failed');
    if (isLeftOut) done.push({ step, outcome: 'left out' });
    else done.push({ step, outcome: (await run(step, `${index + 1}/${steps.length}`)) ? 'well' : 'failed' });
  }
  return done;
};
