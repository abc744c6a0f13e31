import { expect, test } from 'vitest';
import { withoutExecution } from './tool-shape.ts';

const without = (text: string) => withoutExecution(Buffer.from(text)).toString();

test('execution goes from each tool, nothing else anywhere', () => {
	const text =
		'{ "execution":1,"tools" : [ {"name":"a","execution":{"taskSupport":"optional"}}, 7, [{"execution":1}],' +
		'{"execution":null , "name":"b","inputSchema":{"properties":{"execution":{"maximum":1e400}}}},{"name":"c"} ],' +
		'"more":[{"execution":1}],"nextCursor":"x"}';
	const left =
		'{ "execution":1,"tools" : [ {"name":"a"}, 7, [{"execution":1}],' +
		'{"name":"b","inputSchema":{"properties":{"execution":{"maximum":1e400}}}},{"name":"c"} ],' +
		'"more":[{"execution":1}],"nextCursor":"x"}';
	expect(without(text)).toBe(left);
});

test.each([
	'{"tools":[{"name":"a"}]}',
	'{"tools":{"a":{"execution":1}}}',
	'{"tools":"execution"}',
	'[{"execution":1}]',
	'{"tools":[{"execution":1,"execution":2}]}',
	'{"tools":[{"execution":1',
])('%s stays', (text) => {
	expect(without(text)).toBe(text);
});
