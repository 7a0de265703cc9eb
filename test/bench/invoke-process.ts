/** A bundle in a process of its own, as Lambda keeps one warm: told an event at a time, says what processor time its handler took. */
const [, , path = ''] = process.argv;
const { handler } = (await import(path)) as {
  readonly handler: (event: unknown, context: { getRemainingTimeInMillis(): number }) => Promise<unknown>;
};
process.on('message', (event) => {
  const answer = async (): Promise<void> => {
    const before = process.cpuUsage();
    await handler(event, { getRemainingTimeInMillis: () => 60_000 });
    const { user, system } = process.cpuUsage(before);
    process.send?.((user + system) / 1000);
  };
  void answer();
});
process.once('disconnect', () => process.exit(0));
process.send?.('ready');
