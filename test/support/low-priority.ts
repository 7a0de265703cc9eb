/** Setup of the suites that have no cluster waiting for them: whoever has goes first. */
import { setPriority } from 'node:os';

/** A third of what another process gets when both want the processor: no test starves. */
setPriority(5);
