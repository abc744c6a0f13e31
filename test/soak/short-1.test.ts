import { testShort } from './short.ts';

testShort(1);
