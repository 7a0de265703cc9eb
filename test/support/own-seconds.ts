/** Time as a process has it that shares its machine: what it waited for its turn does not count. For bounds in seconds beside other suites. */

/** How often the turn is looked for, in milliseconds. */
const tickMilliseconds = 20;

/** Begins to count. What it gives says how many seconds this process has had since, and ends the count. */
export const ownSeconds = (): (() => number) => {
  const began = performance.now();
  let last = began;
  let waited = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    waited += Math.max(0, now - last - tickMilliseconds);
    last = now;
  }, tickMilliseconds);
  return () => {
    clearInterval(timer);
    return (performance.now() - began - waited) / 1000;
  };
};
