import { runMatrix } from './run.ts';

runMatrix('stdio', 'new');
