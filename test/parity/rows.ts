/** Where a row is shown: a test file below test/ or src/, and the beginning of the title of a test or group in it. */
export type Proof = readonly [file: string, title: string];

/** What agentgateway's own tests of MCP demand, in our words, and what became of it here. */
export interface Row {
	readonly demand: string;
	/** Tests that show it, or show what is done instead. */
	readonly shown: readonly Proof[];
	/** First cell of the row of docs/compatibility.md that says why it is done in another way here. */
	readonly differs?: string;
}

const t = (name: string, title: string): Proof => [`test/parity/${name}.test.ts`, title];
const e2e = (name: string, title: string): Proof => [`test/e2e/${name}.test.ts`, title];
const upstream = (name: string, title: string): Proof => [`test/upstream/${name}.test.ts`, title];
const faults = (name: string, title: string): Proof => [`test/faults/${name}.test.ts`, title];
const unit = (name: string, title: string): Proof => [`src/mcp/${name}.test.ts`, title];
const matrix = (name: string, title: string): Proof => [`test/matrix/topics/${name}.ts`, title];
const row = (demand: string, ...shown: Proof[]): Row => ({ demand, shown });
const other = (differs: string, demand: string, ...shown: Proof[]): Row => ({ demand, shown, differs });

const streamClient = t('transports', 'lists and calls for a stream client');
const sseClient = t('transports', 'lists and calls for an sse client');
const sessionless = t('transports', 'lists and calls, with no session for anybody');

/** By group of agentgateway's tests. Not here: TLS, authentication, authorization, guardrails, OpenAPI, log expressions. */
export const rows: Readonly<Record<string, readonly Row[]>> = {
	transports: [
		row('stream client, stream target', streamClient),
		row('sse client, stream target', sseClient),
		row('stream client, sse target', streamClient),
		row('sse client, sse target', sseClient),
		row('stateless in front of a stateful target', sessionless),
		row('stateless in front of a stateless target', sessionless, t('transports', 'calls without any initialize')),
		other('Reply to a request', 'frames say `event: message`', t('transports', 'events that a stream is made of')),
	],
	'several targets': [
		row('names are prefixed, both are callable', t('multiplex', 'names are prefixed with their target')),
		row('a bare name is refused', t('multiplex', 'a call of %j is refused as unknown')),
		other(
			'`tools/call` with a name without prefix',
			'a bare name is refused',
			e2e('owned-names', 'finds the pages of apps'),
		),
		row('resources are listed, read and templated by target', t('multiplex', 'resources carry their target')),
		row('capabilities of the merge', t('multiplex', 'capabilities tell of lists that change')),
		row('stateless does not promise subscriptions', t('multiplex', 'without sessions nothing is promised')),
		other('Unknown tool, prompt, resource', 'a bad prefix is HTTP 500', t('multiplex', 'a call of %j is refused')),
	],
	'prefixMode: never': [
		row(
			'bare tools and prompts find their owner, on page 2, too',
			t('multiplex', '%s: bare names find their owner'),
			t('multiplex', 'a prompt that one server has'),
		),
		row('pages of apps stay encoded', t('multiplex', 'pages of apps are still told apart')),
		row('ambiguous names disappear and fail', e2e('merged-lists', 'what two servers serve is hidden')),
		other('`prefixMode: never`', 'a call lists every target', t('multiplex', 'calls ask no server for its list')),
	],
	stateless: [
		other(
			'`statefulMode: stateless`',
			'a call initialises only its owner, and cleans up only that',
			t('transports', 'calls without any initialize'),
			unit('endpoint', 'clients that look alike share connections'),
		),
	],
	sessions: [
		row('without id: four kinds of message get 400', t('sessions', '%s gets 400 and opens nothing')),
		row('an id of another backend: 404, target untouched', t('sessions', 'of another backend is 404 there')),
		other('`DELETE` of a session', 'always 202', t('sessions', 'that was deleted is 404 for ever')),
	],
	apps: [
		row('URIs are rewritten in both directions', e2e('owned-names', 'finds the pages of apps')),
		row(
			'hostile URIs are refused',
			e2e('owned-names', 'finds the pages of apps'),
			unit('names', 'apps (ui://) cannot'),
		),
		row('initialize names the extension', t('modern', 'serve an old client in a session')),
		row('a single target keeps its URIs', t('multiplex', 'pages of apps keep their URIs')),
	],
	'2026-07-28': [
		row('discover and lists open no session', t('modern', 'discover, lists and calls give out no session')),
		other('A session header of a 2026-07-28 client', '400', t('modern', 'a session header is not looked at')),
		row('GET and DELETE with its header: 400', t('modern', '%s with the header of the new era')),
		other(
			'Old and new servers behind one endpoint',
			'discover gives -32601, so that the client takes the handshake',
			t('modern', 'of several, old and dead ones among them'),
			t('modern', 'serve a new client'),
		),
		row('an old client over mixed servers has a session', t('modern', 'serve an old client in a session')),
		row('elicitation in rounds', t('modern', 'is a result for a new client')),
		row('a direct request of a server ends the call', t('modern', 'a request of a new server in mid-call')),
		other(
			'What servers ask',
			'capabilities of old clients are stripped',
			t('modern', 'capabilities of old clients reach new servers whole'),
		),
		row('tasks and elicitation of new clients are forwarded', t('modern', 'what is there reaches the server')),
		row('removed methods: 404 with id', t('modern', '%s is gone: 404')),
		row('unknown methods: 404 with id', t('modern', 'one that nobody knows')),
		other('A 2026-07-28 request without `_meta`', 'unknown: 404', t('modern', 'what is missing is told before')),
		other('A 2026-07-28 request without `_meta`', 'capabilities are not looked at', t('modern', 'without %s: 400')),
		row('a version in the body only: 400', t('modern', 'one that was removed, with its version')),
		row('ping of old clients; their unknown methods are no 404', t('modern', 'of old clients: ping works')),
		row('a bad envelope: 400', t('modern', '%s: 400')),
		row('bad params: -32602', t('modern', 'known methods with bad params')),
		row('clientInfo may be missing', t('modern', 'clientInfo may be missing')),
		row('an unsupported version names those that are', t('modern', 'a version that is not served names')),
		row('headers are checked against the body', t('modern', '%s: 400, -32020')),
		row('names in Base64; native names upstream', t('modern', 'a name in Base64 is understood')),
		other('`initialize` that asks for 2026-07-28', '404', t('modern', 'initialize with the version of the new era')),
		row('later requests of old clients: their version is checked', t('modern', 'further requests of an old client')),
		row('discover of one target, without handshake', t('modern', 'of one target: what it said')),
		other('`supportedVersions`', 'those of the server', t('modern', 'of one target: what it said')),
	],
	tasks: [
		row('one target: created, got, cancelled, with raw ids', t('tasks', 'are got, cancelled, and got again')),
		row(
			'several: target+id',
			t('tasks', 'are got, cancelled, and got again'),
			e2e('owned-names', 'of new servers carry'),
		),
		row('an unknown prefix: -32602', t('tasks', 'that nobody knows are refused')),
		row('the wrong owner fails', t('tasks', 'a task of one server is none of another')),
	],
	'requests of servers': [
		other('`ping` of a server', 'goes to the client', t('server-requests', 'a ping of a server is answered')),
		row('the answer reaches only who asked, with its id', t('server-requests', 'with the equal id %j is told apart')),
		row('elicitation completes the call', t('server-requests', '%s asks an old client')),
		row('colons, `:n:`, underscores in ids', t('server-requests', 'with the equal id %j is told apart')),
	],
	subscriptions: [
		row('routed to the owner, bare URI fails', t('multiplex', 'go to the owner of the resource')),
		row(
			'updates are prefixed',
			t('multiplex', 'go to the owner of the resource'),
			e2e('owned-names', 'updates are told'),
		),
		row('one target: not prefixed', t('multiplex', 'of one target keep its URI')),
		row(
			'a listen filter is split; what comes is tagged',
			t('multiplex', 'each target hears its part of the filter'),
			t('streams', 'asks each server for its part'),
		),
		row('only accepted URIs are acknowledged', t('multiplex', 'each target hears its part of the filter')),
		row('the same URI at two targets; repeated ones', t('multiplex', 'each target hears its part of the filter')),
		row(
			'nothing unasked; the server’s own acknowledgement stays',
			t('streams', 'gives nothing that was not asked for'),
		),
		row('failOpen keeps the survivor', t('streams', 'keeps what stays where failOpen')),
		other(
			'Streams of notifications',
			'the end of one server’s stream ends all, or retires it',
			t('breaking', 'subscriptions/listen goes on with the others'),
			t('breaking', 'the stream of a session stays'),
		),
		other('Streams of notifications', 'none for stdio targets', t('streams', 'works over children of both eras')),
		other('Streams of notifications', '405 of a server is relayed', t('streams', 'outlives its server’s refusal')),
		row('failClosed refuses before anything is said', t('streams', 'a session fails closed before it can listen')),
	],
	'construction and merge': [
		other('An empty list of targets', '503, or open', t('federation', 'no targets at all are refused with the file')),
		row('failOpen skips a target that is bad', t('federation', 'is left out where %s')),
		row('all bad: an error with the first reason', t('federation', 'all of them: an error with the first reason')),
		row('failClosed: the session fails', t('federation', 'fails the session where failClosed')),
		row('failClosed: discover and lists fail', t('federation', 'fails the lists of a new client')),
		other('`failureMode` not written', 'failClosed', t('federation', 'all of them: a session that waits')),
		row('a dead target does not hinder DELETE', t('federation', 'is left out where %s')),
		row('a child has no state to be restored', t('sessions', 'does not take one whose %s it')),
		other('A session after a restart', 'sse targets are restored', t('sessions', 'does not take one whose %s it')),
		row('restored by target name, whatever the order', t('sessions', 'whatever the order of its targets')),
		row('other targets: not restored', t('sessions', 'does not take one of a backend that has other')),
		row('instructions are labelled', t('federation', 'of several are labelled')),
		other('Instructions', 'a preamble where there are none', t('federation', 'are left out where no server has any')),
		row(
			'a single initialize is passed as it is',
			t('federation', 'of one server are its own'),
			t('multiplex', 'names, URIs, cap'),
		),
		row(
			'discover has the extensions',
			t('modern', 'of several, old and dead'),
			unit('greeting', 'extensions are those of all'),
		),
		row('ui:// cannot be smuggled', unit('names', 'apps (ui://) cannot be smuggled past')),
		row('failOpen skips an error and a broken transport', t('federation', 'is left out, with a warning (%s)')),
		row('all fail: an error', t('federation', 'and is the only one, or one of none')),
	],
	'handler units': [
		row('schemes and opaque URIs', t('multiplex', 'an opaque URI, one with +'), [
			'test/properties/codecs.test.ts',
			'lead back to the',
		]),
		other('A reference without scheme', 'stays bare', t('multiplex', 'a reference without scheme is wrapped')),
		row(
			'resultType and cache fields by era',
			t('federation', 'old clients get neither'),
			t('federation', 'new clients get both'),
		),
		other('`ttlMs`, `cacheScope`', '0 and private', t('federation', 'new clients are told how long a resource')),
		row('the first answer counts', t('federation', 'the first answer counts')),
		row('a broken transport ends the call', faults('http', 'a server that fails in the middle')),
		row('errors pass', matrix('errors', 'code, message and data of a server’s own error')),
	],
	'stdio units': [
		row('an error resolves its request', matrix('errors', 'code, message and data of a server’s own error')),
		row('its death fails what is open', faults('stdio', 'a crash fails the open calls at once')),
		other(
			'A stdio child that exits',
			'streams end, calls fail',
			t('breaking', 'a child that dies (%s) fails its call'),
		),
	],
	'upstream units': [
		row('extensions agree, diverge, unite', unit('greeting', 'extensions are those of all')),
		row('authority, session id, length and encoding', t('federation', 'the session and credentials of the client')),
		row('the server’s own session is kept', upstream('http', 'headers of each era, no session of one client')),
		other('`traceparent`', 'copied into `_meta`', t('modern', 'what is there reaches the server')),
		other('Headers of clients', 'all are copied', t('federation', 'the session and credentials of the client')),
	],
	'DNS rebinding': [
		other('Host and Origin', 'off: all pass', t('rebinding', '%j: 403 where protected')),
		row('foreign Host and Origin, null: 403; local ones pass', t('rebinding', '%j: 403'), t('rebinding', '%j: taken')),
	],
	'gaps in their tests': [
		row('processes behind stdio', e2e('children', 'arguments arrive byte'), faults('stdio', 'kill -9 of a child'), [
			'test/processes/end.test.ts',
			'the end of the gateway',
		]),
		row(
			'cancellation',
			t('streams', 'hears that a client of the %s era'),
			t('multiplex', 'a cancellation reaches'),
			upstream('http', 'a cancelled call is taken'),
		),
		row('progress', t('streams', 'tells a client of the %s era'), matrix('running', 'progress arrives before')),
		row(
			'roots and sampling',
			t('server-requests', '%s asks an old client'),
			t('server-requests', '%s asks a new client'),
		),
		row(
			'loss of the GET stream',
			t('streams', 'when it breaks, what came meanwhile'),
			t('breaking', 'the stream of a session stays'),
		),
		row('codes of sessions that have expired', t('sessions', 'that was not used for its time is 404')),
		row('resumption at another replica', t('sessions', 'goes on with a session, in the same sessions')),
		row(
			'binding of sessions',
			t('sessions', 'of another backend is 404'),
			t('sessions', 'that was changed in any place'),
			unit('asks/request-state', 'names its parked call'),
		),
		row('pagination', e2e('merged-lists', 'reads 300 tools over 7 pages'), e2e('merged-lists', 'gets what an endless')),
		row('URIs in results of tools', e2e('owned-names', 'reads what the tools and prompts')),
		row('a fan-out that knows capabilities', t('federation', 'one that has tools only breaks no other list')),
		row(
			'time-outs',
			faults('stdio', 'it never answers'),
			faults('http', 'a call that hangs'),
			unit('lists/catalog', 'a server that does not answer'),
		),
		row('recursive schemas', t('schemas', 'schemas that lead back to themselves')),
		row('backpressure', t('streams', 'holds up neither the other calls'), t('streams', 'a result of some size waits')),
		row('the official suite', ['package.json', 'conformance": ']),
	],
};
