import { runMatrix } from './run.ts';

runMatrix('HTTP', 'old');
