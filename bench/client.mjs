// The requests of both eras that the benchmark sends, and the handshake before them.
const argument = 'y'.repeat(150);
const accept = 'application/json, text/event-stream';
const meta =
	'"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",' +
	'"io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}';

/** What wrk sends to a URL: headers and a body whose `@ID@` is replaced. Opens a session for the legacy era. */
export async function prepare(url, era, tool) {
	const call = era === 'modern' ? modernCall(tool) : { headers: await session(url), body: legacyBody(tool) };
	const reply = await fetch(url, {
		method: 'POST',
		headers: { 'content-type': 'application/json', ...call.headers },
		body: call.body.replace('@ID@', '1'),
	});
	const text = await reply.text();
	if (!reply.ok || !text.includes('xxxx')) throw new Error(`${url} answers ${reply.status}: ${text.slice(0, 500)}`);
	return call;
}

function legacyBody(tool) {
	return `{"jsonrpc":"2.0","id":@ID@,"method":"tools/call","params":{"name":"${tool}","arguments":{"text":"${argument}"}}}`;
}

function modernCall(tool) {
	return {
		headers: { accept, 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': tool },
		body: `{"jsonrpc":"2.0","id":@ID@,"method":"tools/call","params":{"name":"${tool}","arguments":{"text":"${argument}"},${meta}}}`,
	};
}

async function session(url) {
	const headers = { 'content-type': 'application/json', accept };
	const initialize = {
		jsonrpc: '2.0',
		id: 0,
		method: 'initialize',
		params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1' } },
	};
	const reply = await fetch(url, { method: 'POST', headers, body: JSON.stringify(initialize) });
	await reply.text();
	const id = reply.headers.get('mcp-session-id');
	const own = { accept, 'mcp-protocol-version': '2025-11-25', ...(id === null ? {} : { 'mcp-session-id': id }) };
	const note = await fetch(url, {
		method: 'POST',
		headers: { 'content-type': 'application/json', ...own },
		body: '{"jsonrpc":"2.0","method":"notifications/initialized"}',
	});
	await note.text();
	return own;
}

/** What wrk sends to a URL for any method; `name` is the tool of a call, null for methods without a name. */
export async function prepareWith(url, era, method, name) {
	const params = name === null ? [] : [`"name":"${name}"`, '"arguments":{}'];
	const text = (members) => `{"jsonrpc":"2.0","id":@ID@,"method":"${method}","params":{${members.join(',')}}}`;
	const named = name === null ? {} : { 'mcp-name': name };
	const headers =
		era === 'modern'
			? { accept, 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...named }
			: await session(url);
	const body = text(era === 'modern' ? [...params, meta] : params);
	const reply = await fetch(url, {
		method: 'POST',
		headers: { 'content-type': 'application/json', ...headers },
		body: body.replace('@ID@', '1'),
	});
	const answer = await reply.text();
	if (!reply.ok || !answer.includes('"result"'))
		throw new Error(`${url} answers ${reply.status}: ${answer.slice(0, 500)}`);
	return { headers, body };
}
