import { testShort } from './short.ts';

testShort(0);
