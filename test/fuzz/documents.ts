/** Bodies that cost little to send and much to read, each of about `size` bytes. */
export function hostileDocuments(size: number): readonly (readonly [name: string, body: Buffer])[] {
	const meta = (more = '') =>
		`"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}${more}}`;
	const modern = (params: string) => call('tools/call', `{"name":"a_echo",${params}}`);
	const fill = (one: string) => one.repeat(Math.floor(size / one.length));
	const keys = (from: string) => {
		const parts: string[] = [];
		for (let at = 0, length = 0; length < size; at++) {
			parts.push(`"${from}${at}":1`);
			length += (parts.at(-1)?.length ?? 0) + 1;
		}
		return parts.join(',');
	};
	const texts: [string, string][] = [
		['empty objects', modern(`"arguments":{"x":[${fill('{},')}{}]},${meta()}`)],
		['empty lists', modern(`"arguments":{"x":[${fill('[],')}[]]},${meta()}`)],
		['nested lists', modern(`"arguments":${fill('[')}`)],
		[
			'nested lists within what is allowed',
			modern(`"arguments":{"x":[${fill(`${'['.repeat(100)}${']'.repeat(100)},`)}1]},${meta()}`),
		],
		['escapes', modern(`"arguments":{"x":"${fill('\\u0041')}"},${meta()}`)],
		['escaped quotes', modern(`"arguments":{"x":"${fill('\\"')}"},${meta()}`)],
		['numbers', modern(`"arguments":{"x":[${fill('1e400,')}1]},${meta()}`)],
		['many keys in arguments', modern(`"arguments":{${keys('k')}},${meta()}`)],
		['many keys in params', modern(`${keys('k')},${meta()}`)],
		['many keys in _meta', modern(meta(`,${keys('k')}`))],
		['keys with escapes in _meta', modern(meta(`,${keys('\\u0041')}`))],
		['a long method', call(fill('m'), `{${meta()}}`)],
		['a method of escapes', call(fill('\\u0041'), `{${meta()}}`)],
		['a long name', call('tools/call', `{"name":"${fill('n')}",${meta()}}`)],
		['a name of escapes', call('tools/call', `{"name":"${fill('\\u0041')}",${meta()}}`)],
		['a long id', `{"jsonrpc":"2.0","id":"${fill('i')}","method":"ping"}`],
		['a number for an id', `{"jsonrpc":"2.0","id":${fill('1')},"method":"ping"}`],
		['a progress token', modern(`"_meta":{"progressToken":"${fill('p')}"}`)],
		['a cursor', call('tools/list', `{"cursor":"${fill('YWJj')}",${meta()}}`)],
		['a request state', modern(`"requestState":"${fill('YWJj')}",${meta()}`)],
		['answers', modern(`"requestState":"x","inputResponses":{${keys('k')}},${meta()}`)],
		[
			'capabilities',
			modern(
				`"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{${keys('k')}}}`,
			),
		],
		[
			'capabilities of a handshake',
			call(
				'initialize',
				`{"protocolVersion":"2025-11-25","capabilities":{${keys('k')}},"clientInfo":{"name":"c","version":"1"}}`,
			),
		],
		[
			'client info',
			call('initialize', `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{${keys('k')}}}`),
		],
		['a batch of empty objects', `[${fill('{},')}{}]`],
		['a batch of pings', `[${fill('{"jsonrpc":"2.0","id":1,"method":"ping"},')}1]`],
		['an answer', `{"jsonrpc":"2.0","id":1,"result":{"x":[${fill('{},')}{}]}}`],
		['an error with a long message', `{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"${fill('\\u0041')}"}}`],
		['the same key again and again', modern(`"arguments":{${fill('"a":1,')}"a":1},${meta()}`)],
		['the same key again and again in _meta', modern(`"_meta":{${fill('"a":1,')}"a":1}`)],
		['space', `${fill(' ')}{"jsonrpc":"2.0","id":1,"method":"ping"}`],
		['line breaks', `${fill('\n')}{"jsonrpc":"2.0","id":1,"method":"ping"}`],
		[
			'a filter',
			call('subscriptions/listen', `{"notifications":{"resourceSubscriptions":[${fill('"a",')}"a"]},${meta()}}`),
		],
		['commas', `[${fill(',')}]`],
		['no JSON', fill('x')],
	];
	return texts.map(([name, text]) => [name, Buffer.from(text)]);
}

function call(method: string, params: string): string {
	return `{"jsonrpc":"2.0","id":1,"method":"${method}","params":${params}}`;
}
