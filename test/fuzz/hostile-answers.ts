/** The requests that are answered so. */
export type ListedMethod = 'tools/call' | 'tools/list';

/** Results of servers that cost little to send and much to read, each of about `size` bytes. */
export function hostileAnswers(size: number): readonly (readonly [name: string, method: ListedMethod, text: string])[] {
	const fill = (one: string) => one.repeat(Math.floor(size / one.length));
	const each = (one: (at: number) => string) => {
		const parts: string[] = [];
		for (let at = 0, length = 0; length < size; at++) {
			parts.push(one(at));
			length += (parts.at(-1)?.length ?? 0) + 1;
		}
		return parts.join(',');
	};
	const keys = (from: string) => each((at) => `"${from}${at}":1`);
	const call = (members: string) => ['tools/call', `{"resultType":"complete",${members}}`] as const;
	const list = (tools: string, more = '') =>
		['tools/list', `{"resultType":"complete","tools":[${tools}]${more}}`] as const;
	const tool = (at: number, more = '') => `{"name":"t${at}","inputSchema":{"type":"object"}${more}}`;
	const some = '"content":[{"type":"text","text":"x"}]';
	const texts: [string, readonly [ListedMethod, string]][] = [
		['one long text', call(`"content":[{"type":"text","text":"${fill('x')}"}]`)],
		['one text of escapes', call(`"content":[{"type":"text","text":"${fill('\\n')}"}]`)],
		['texts', call(`"content":[${each(() => '{"type":"text","text":"x"}')}]`)],
		['links', call(`"content":[${each((at) => `{"type":"resource_link","uri":"res://${at}","name":"n"}`)}]`)],
		['links of escapes', call(`"content":[{"type":"resource_link","name":"n","uri":"${fill('\\u0041')}"}]`)],
		['empty blocks', call(`"content":[${fill('{},')}{}]`)],
		['empty lists as blocks', call(`"content":[${fill('[],')}[]]`)],
		['commas and numbers', call(`"content":[${fill('1,')}1]`)],
		['structured content', call(`${some},"structuredContent":{${keys('k')}}`)],
		['structured numbers', call(`${some},"structuredContent":[${fill('1,')}1]`)],
		['nested lists', call(`${some},"structuredContent":${fill('[')}`)],
		['lists within lists', call(`"structuredContent":[${fill(`${'['.repeat(100)}${']'.repeat(100)},`)}1],${some}`)],
		['many members', call(`${keys('k')},${some}`)],
		['many members in _meta', call(`"_meta":{${keys('k')}},${some}`)],
		[
			'many asks',
			[
				'tools/call',
				`{"resultType":"input_required","inputRequests":{${each((at) => `"k${at}":{"method":"elicitation/create","params":{}}`)}}}`,
			],
		],
		['a long state', ['tools/call', `{"resultType":"input_required","requestState":"${fill('x')}"}`]],
		['a long type', ['tools/call', `{${some},"resultType":"${fill('x')}"}`]],
		['no JSON', ['tools/call', fill('x')]],
		['space', ['tools/call', `{${some}${fill(' ')}}`]],
		['line breaks', ['tools/call', `{${some}${fill('\n')}}`]],
		['many tools', list(each((at) => tool(at)))],
		[
			'ten thousand tools',
			list(
				Array.from({ length: 10_000 }, (_, at) =>
					tool(at, `,"title":"t","description":"${'d'.repeat(Math.max(0, Math.floor(size / 10_000) - 90))}"`),
				).join(','),
			),
		],
		['many short tools', list(each((at) => `{"name":"${at}"}`))],
		['the same tool again and again', list(each(() => tool(1)))],
		['empty tools', list(`${fill('{},')}{}`)],
		['numbers for tools', list(`${fill('1,')}1`)],
		['a tool with a long description', list(tool(1, `,"description":"${fill('x')}"`))],
		['a tool with a description of escapes', list(tool(1, `,"description":"${fill('\\u0041')}"`))],
		['a tool with a long name', list(`{"name":"${fill('n')}","inputSchema":{"type":"object"}}`)],
		['a tool with a name of escapes', list(`{"name":"${fill('\\u0041')}","inputSchema":{"type":"object"}}`)],
		['a tool with many members', list(`{"name":"t","inputSchema":{"type":"object"},${keys('k')}}`)],
		['a tool with many properties', list(`{"name":"t","inputSchema":{"type":"object","properties":{${keys('k')}}}}`)],
		[
			'a tool with an output schema of many properties',
			list(`{"name":"t","inputSchema":{},"outputSchema":{"anyOf":[${each(() => 'true')}]}}`),
		],
		['output schemas to wrap', list(each((at) => tool(at, ',"outputSchema":{"type":"array","items":true}')))],
		[
			'references in an output schema',
			list(tool(1, `,"outputSchema":{"type":"array","prefixItems":[${each(() => '{"$ref":"#/a"}')}]}`)),
		],
		[
			'boolean properties',
			list(`{"name":"t","inputSchema":{"type":"object","properties":{${each((at) => `"k${at}":true`)}}}}`),
		],
		[
			'mirrored headers',
			list(
				each(
					(at) =>
						`{"name":"t${at}","inputSchema":{"type":"object","properties":{"a":{"type":"string","x-mcp-header":"A"}}}}`,
				),
			),
		],
		[
			'a tool with many mirrored headers',
			list(
				`{"name":"t","inputSchema":{"type":"object","properties":{${each((at) => `"a${at}":{"type":"string","x-mcp-header":"A${at}"}`)}}}}`,
			),
		],
		['execution of each tool', list(each((at) => tool(at, ',"execution":{}')))],
		['apps of each tool', list(each((at) => tool(at, `,"_meta":{"ui":{"resourceUri":"ui://x/${at}"}}`)))],
		['a long cursor', list(tool(1), `,"nextCursor":"${fill('c')}"`)],
		['a cursor of escapes', list(tool(1), `,"nextCursor":"${fill('\\u0041')}"`)],
		['a long time to live', list(tool(1), `,"ttlMs":${fill('9')}`)],
	];
	return texts.map(([name, [method, text]]) => [name, method, text]);
}
