/** `kpackless dlq list|show|redrive|drop`: messages that failed five times. */
import type { Command } from 'commander';
import { ExpectedError, PermanentError } from '../../lib/errors/expected.ts';
import { wakeOne, wokenBy } from '../../lib/fleet/wake-one.ts';
import { showKey } from '../../lib/kube/object.ts';
import { type Letter, wakeUpIn } from '../../lib/queue/letters.ts';
import type { Message } from '../../lib/queue/message.ts';
import { queueRows, sqsRows } from '../../lib/reconcile/kind-table.ts';
import { Records } from '../../lib/state/records.ts';
import { showTime } from '../../lib/text/span.ts';
import { columns } from './columns.ts';
import { type Call, callOf, nowOf, type Registrar, unwell, withInstallation } from './context.ts';
import type { Installation } from './installation.ts';
import { countUpTo } from './number-option.ts';

const usualMost = 100;
/** One letter is looked for among so many; SQS shows ten of one object at a time. */
const mostLooked = 10_000;

const namesIn = ({ isFile }: Installation): readonly string[] => (isFile ? queueRows : sqsRows).map(({ name }) => name);

/** @throws PermanentError when there is no such queue */
const expectQueue = (installation: Installation, queue: string): string => {
  const names = namesIn(installation);
  if (!names.includes(queue)) throw new PermanentError('Usage', `${queue} is no queue; there are ${names.join(', ')}`);
  return queue;
};

const about = (message: Message | string): string =>
  typeof message === 'string'
    ? `cannot be read: ${message}`
    : `${showKey(message.target)} in ${message.cluster}, ${message.reason}`;

const shownAt = ({ sentAt }: Letter): string => (sentAt === undefined ? '-' : showTime(Math.floor(sentAt / 1000)));

const jsonOf = (letter: Letter): object => {
  const message = wakeUpIn(letter);
  const { id, queue, sentAt } = letter;
  return { id, queue, sentAt, ...(typeof message === 'string' ? { unreadable: message } : { message }) };
};

/** The letter `id` of a queue. @throws ExpectedError when it is not found */
const letterOf = async (call: Call, { letters }: Installation, queue: string, id: string): Promise<Letter> => {
  const found = await call.output.during(`looking through the dead letters of ${queue}`, () =>
    letters.list(queue, mostLooked),
  );
  const letter = found.find((one) => one.id === id);
  if (letter === undefined)
    throw new ExpectedError(`${queue} has no dead letter ${id}: kpackless dlq list ${queue} shows those it has`);
  return letter;
};

const list = async (call: Call, installation: Installation, queue: string | undefined, most: number) => {
  const names = queue === undefined ? namesIn(installation) : [expectQueue(installation, queue)];
  const found: { readonly name: string; readonly count: number; readonly letters: readonly Letter[] }[] = [];
  await call.output.during('looking at the dead letters', async (tell) => {
    for (const name of names) {
      tell(name);
      const { deadLetters: count } = await installation.depths.depth(name);
      if (count > 0) found.push({ name, count, letters: await installation.letters.list(name, most) });
    }
  });
  const all = found.flatMap(({ letters }) => letters);
  const count = found.reduce((sum, one) => sum + one.count, 0);
  call.output.answer({
    lines:
      count === 0
        ? ['There are no dead letters.']
        : [
            ...columns([
              ['QUEUE', 'ID', 'SENT', 'ABOUT'],
              ...all.map((letter) => [letter.queue, letter.id, shownAt(letter), about(wakeUpIn(letter))]),
            ]),
            '',
            `${count} dead letters${all.length < count ? `, ${all.length} of them shown (--most shows more; of one object the first ten)` : ''}. The sweeper brings them back by itself, ever more rarely.`,
          ],
    json: {
      count,
      queues: found.map(({ name, count: deadLetters }) => ({ name, deadLetters })),
      letters: all.map(jsonOf),
    },
  });
  return count;
};

const show = async (call: Call, installation: Installation, queue: string, id: string): Promise<void> => {
  const letter = await letterOf(call, installation, expectQueue(installation, queue), id);
  const message = wakeUpIn(letter);
  const target = typeof message === 'string' ? undefined : wokenBy(queue, message);
  const record = target === undefined ? undefined : await new Records(installation.table).read(target);
  const passes = target === undefined ? [] : await installation.passes(target, queue).catch(() => []);
  const why = passes.find((pass) => pass.why !== undefined);
  call.output.answer({
    lines: [
      `${letter.queue} ${letter.id}, sent ${shownAt(letter)}`,
      about(message),
      ...(record === undefined ? [] : [`failed ${record.attempts} times in a row as the table says`]),
      ...(why === undefined ? [] : [`${why.at} ${why.what}: ${why.why ?? ''}`]),
      '',
      letter.body,
    ],
    json: { ...jsonOf(letter), body: letter.body, attempts: record?.attempts, passes },
  });
};

const redriveOne = async (call: Call, installation: Installation, queue: string, id: string): Promise<string> => {
  const message = wakeUpIn(await letterOf(call, installation, queue, id));
  if (typeof message === 'string') throw new ExpectedError(`it ${message}: kpackless dlq drop ${queue} ${id}`);
  const target = wokenBy(queue, message);
  if (target === undefined)
    throw new ExpectedError(
      `it is news of a cluster, which only all of the queue brings back: kpackless dlq redrive ${queue}`,
    );
  // Woken first: dying in between wakes it twice, which costs a pass.
  await wakeOne(new Records(installation.table), target, nowOf(call));
  await installation.letters.drop(queue, id);
  return `${showKey(message.target)} in ${message.cluster} is looked at by the next sweep, within a minute`;
};

/** Adds them. */
export const addDlq = (program: Command, registrar: Registrar): void => {
  const { ending } = registrar;
  const dlq = program.command('dlq').description('dead letters: messages that failed five times');
  const acting =
    <A extends readonly unknown[]>(
      writes: boolean,
      work: (call: Call, installation: Installation, ...args: A) => Promise<unknown>,
    ) =>
    (...args: unknown[]): Promise<void> => {
      const command = args.at(-1) as Command;
      const call = callOf(registrar, command);
      return withInstallation(call, { writes }, async (installation) => {
        await work(call, installation, ...(args.slice(0, -1) as unknown as A));
      });
    };

  dlq
    .command('list')
    .argument('[queue]', 'name of a queue as status shows it; all of them without')
    .option('--most <number>', 'letters of each queue that are shown', countUpTo(mostLooked), usualMost)
    .description('what is dead, and about which object; ends with 3 when there is something')
    .addHelpText('after', '\nExamples:\n  $ kpackless dlq list\n  $ kpackless dlq list image --most 500 --output json')
    .action(
      acting(false, async (call, installation, queue: string | undefined, { most }: { readonly most: number }) => {
        if ((await list(call, installation, queue, most)) > 0) unwell(ending);
      }),
    );
  dlq
    .command('show')
    .argument('<queue>')
    .argument('<id>', 'as list shows it')
    .description('one letter: what it says, what is known of its object, why passes failed')
    .addHelpText('after', '\nExample:\n  $ kpackless dlq show image 5fea7756-0ea4-451a-a703-a558b933e274')
    .action(acting(false, show));
  dlq
    .command('redrive')
    .argument('<queue>', 'all for every queue that has some')
    .argument('[id]', 'one letter: its object is woken in its place')
    .description('gives them their tries again, ten a second')
    .addHelpText('after', '\nExamples:\n  $ kpackless dlq redrive image\n  $ kpackless dlq redrive all')
    .action(
      acting(true, async (call, installation, queue: string, id: string | undefined) => {
        if (id !== undefined) {
          const said = await redriveOne(call, installation, expectQueue(installation, queue), id);
          call.output.answer({ lines: [said], json: { queue, id, redriven: 1 } });
          return;
        }
        const started: { readonly name: string; readonly deadLetters: number }[] = [];
        for (const name of queue === 'all' ? namesIn(installation) : [expectQueue(installation, queue)]) {
          const { deadLetters } = await installation.depths.depth(name);
          if (deadLetters === 0) continue;
          await installation.letters.redriveAll(name);
          started.push({ name, deadLetters });
        }
        call.output.answer({
          lines:
            started.length === 0
              ? ['There was nothing to bring back.']
              : started.map(({ name, deadLetters }) => `${name}: ${deadLetters} dead letters are on their way back`),
          json: { queues: started },
        });
      }),
    );
  dlq
    .command('drop')
    .argument('<queue>')
    .argument('[id]', 'one letter')
    .option('--all', 'all of the queue')
    .description('takes letters away for good; their objects are still looked at once a day')
    .addHelpText(
      'after',
      '\nExamples:\n  $ kpackless dlq drop image 5fea7756-0ea4-451a-a703-a558b933e274\n  $ kpackless dlq drop image --all',
    )
    .action(
      acting(
        true,
        async (call, installation, queue: string, id: string | undefined, { all }: { readonly all?: boolean }) => {
          expectQueue(installation, queue);
          if ((id === undefined) === (all !== true))
            throw new PermanentError('Usage', 'name one letter, or give --all for every one of the queue');
          if (id === undefined) await installation.letters.dropAll(queue);
          else if (!(await installation.letters.drop(queue, id)))
            throw new ExpectedError(
              `${queue} has no dead letter ${id}: kpackless dlq list ${queue} shows those it has`,
            );
          call.output.answer({
            lines: [id === undefined ? `${queue} has no dead letters any more` : `dropped ${id}`],
            json: { queue, ...(id === undefined ? { all: true } : { id }) },
          });
        },
      ),
    );
};
