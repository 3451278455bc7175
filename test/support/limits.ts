/**
 * Times that tests wait before they call a thing hung. None of these is a claim about speed: what waits ends as soon as what
 * it waits for is there, and on an idle machine that takes a hundredth of it. They only have to be longer than the busiest
 * machine needs, and different enough that the innermost tells first.
 */

/** For a process to say or do one thing, in milliseconds. */
export const STEP_MILLIS = 60_000;

/** For a child process that makes several steps, in seconds, as `timeout` of coreutils takes it. */
export const CHILD_SECONDS = "240";

/** For a test that runs such children, in milliseconds. */
export const TEST_MILLIS = 300_000;
