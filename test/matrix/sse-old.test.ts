import { runMatrix } from './run.ts';

runMatrix('SSE', 'old');
