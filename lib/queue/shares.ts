/**
 * How much of a queue's room one tenant may hold: four times what is free (dynamic thresholds, Choudhury and Hahne 1998). One tenant alone gets
 * four fifths; several get less each, and something is free until seven of them hang at once. So passes that hang in one namespace, at a registry
 * that does not answer, never keep all places from the others. Pure.
 */
const timesWhatIsFree = 4;

/** Whether a tenant that holds `held` of the places may take one of those that are `free`. */
export const mayTakePlace = (held: number, free: number): boolean => held < timesWhatIsFree * free;
