/** How much an object may depend on: its record names every edge, up to three times, and an item has its bounds. */
import { PermanentError } from '../errors/expected.ts';
import { printable } from '../text/printable.ts';

/** Longest name of a dependency, in bytes: with its cluster it has to fit into a key (DynamoDB: 2048 bytes). */
const mostDependencyBytes = 1000;
/** All dependencies of an object, in bytes: the record holds them up to three times and may have 400 KB. About a thousand. */
const mostEdgeBytes = 100_000;

const bytes = (text: string): number => Buffer.byteLength(text);

/** Expects edges, as records name them, to fit into one. @throws PermanentError `TooManyDependencies` when they do not */
export const expectRoom = (shown: readonly string[]): void => {
  const long = shown.find((each) => bytes(each) > mostDependencyBytes);
  if (long !== undefined)
    throw new PermanentError(
      'TooManyDependencies',
      `it refers to something whose name has more than ${mostDependencyBytes} bytes (${printable(long, 60)}); correct the name`,
    );
  const total = shown.reduce((sum, each) => sum + bytes(each), 0);
  if (total > mostEdgeBytes)
    throw new PermanentError(
      'TooManyDependencies',
      `it refers to ${shown.length} other objects, which is more than can be watched for it; refer to fewer, or divide it`,
    );
};

/** As many of the edges as fit. What is left out is found out when it wakes somebody, and cleared away then. */
export const edgesThatFit = (edges: readonly string[]): readonly string[] => {
  let room = mostEdgeBytes;
  return edges.filter((edge) => {
    room -= bytes(edge);
    return room >= 0;
  });
};
