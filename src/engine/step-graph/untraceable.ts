/** @file What keeps a computation from becoming a graph. */

/** Why, in words that follow "because". */
export class UntraceableError extends Error {}
