import { expect, test } from 'vitest';
import { gatewayCaller, ownCall } from '../own-call.ts';
import { ToolHeaders } from './tool-headers.ts';

const header = { type: 'string', 'x-mcp-header': 'Region' };
const tool = (name: string, region: object) => ({ name, inputSchema: { type: 'object', properties: { region } } });
const list = (...tools: object[]) => Buffer.from(JSON.stringify({ tools }));
const call = ownCall('tools/list', {}, gatewayCaller);

test('tools that a whole list does not have any more are forgotten', () => {
	const headers = new ToolHeaders(() => {});
	headers.learn(call, list(tool('a', header), tool('b', header)), true);
	expect([headers.of('a'), headers.of('b')].includes(null)).toBe(false);
	headers.learn(call, list(tool('b', header)), true);
	expect(headers.of('a')).toBeNull();
	expect(headers.of('b')).not.toBeNull();
	headers.learn(call, list(), true);
	expect(headers.of('b')).toBeNull();
});

test('what is wrong with a tool is said once, however often it is listed', () => {
	const warned: string[] = [];
	const headers = new ToolHeaders((message) => warned.push(message));
	const bad = tool('a', { type: 'string', 'x-mcp-header': 'not a header' });
	for (let i = 0; i < 3; i++) headers.learn(call, list(bad), true);
	expect(warned).toHaveLength(1);
});
