/** Where a long start says what it is doing; each call is one line without a newline. */
export type Report = (line: string) => void;

/** Says nothing: for callers that only want the result. */
export const silent: Report = () => {};
