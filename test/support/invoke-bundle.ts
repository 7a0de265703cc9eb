/** Run as a program, like Lambda would: imports the bundle at argv[2], hands its handler the event in argv[3], says on its last line how it went. */
const [, , path = '', event = '{}'] = process.argv;
const started = performance.now();
const used = process.cpuUsage();
const { handler } = (await import(path)) as {
  readonly handler: (event: unknown, context: { getRemainingTimeInMillis(): number }) => Promise<unknown>;
};
const { user, system } = process.cpuUsage(used);
// Others may use the machine too: processor time tells what the bundle takes when waiting for a processor would hide it.
const initMilliseconds = Math.min(performance.now() - started, (user + system) / 1000);
const answer = await handler(JSON.parse(event), { getRemainingTimeInMillis: () => 30_000 });
process.stdout.write(`${JSON.stringify({ initMilliseconds, answer })}\n`, () => process.exit(0));
