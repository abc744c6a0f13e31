import fc from 'fast-check';

/**
 * Every run draws the same examples, so that a change is judged by what it changes; `FC_SEED=random` draws others, and
 * a number repeats a run. Search for new counterexamples belongs to the fuzzers.
 */
const wanted = process.env['FC_SEED'] ?? '20261125';
if (wanted !== 'random') fc.configureGlobal({ seed: Number(wanted) });
