import { type Loose, WireClient } from '../support/wire-client.ts';
import { agree, type Peer, type PeerOptions, Refused, type Said, type UseOptions, type Wanted } from './peer.ts';

/** A client that writes every byte itself. */
export class WirePeer implements Peer {
	readonly wire: WireClient;
	readonly notes: Said[];
	readonly asked: Said[] = [];
	answer: Peer['answer'] = agree;
	private token = 0;

	private constructor(wire: WireClient, notes: Said[]) {
		this.wire = wire;
		this.notes = notes;
	}

	static async open(era: 'legacy' | 'modern', { url, capabilities, answer }: PeerOptions): Promise<WirePeer> {
		const notes: Said[] = [];
		let self: WirePeer | null = null;
		const wire = await WireClient.open(url, era, {
			capabilities: JSON.stringify(capabilities),
			answer: (method, params) => self?.reply(method, params),
			onNote: ({ method, params }) => {
				if (method !== 'notifications/progress') notes.push({ method, params });
			},
		});
		self = new WirePeer(wire, notes);
		if (answer !== undefined) self.answer = answer;
		if (era === 'legacy') await wire.listen();
		return self;
	}

	get facts(): Peer['facts'] {
		const { result } = this.wire.greeting.message;
		const info = result.serverInfo ?? result._meta?.['io.modelcontextprotocol/serverInfo'];
		const version = result.protocolVersion ?? result.supportedVersions?.[0];
		return { name: info?.name, capabilities: result.capabilities, instructions: result.instructions, version };
	}

	async use(method: string, params: Record<string, unknown> = {}, options: UseOptions = {}): Promise<Loose> {
		const { onProgress, logLevel } = options;
		const token = ++this.token;
		const id = 1000 + token;
		const signal = options.signal === undefined ? undefined : this.cancelling(id, options.signal);
		const meta = [
			...(onProgress === undefined ? [] : [`"progressToken":${token}`]),
			...(logLevel === undefined ? [] : [`"io.modelcontextprotocol/logLevel":"${logLevel}"`]),
		].join(',');
		const { message, status, text } = await this.wire.request(method, JSON.stringify(params), {
			id: String(id),
			...(signal === undefined ? {} : { signal }),
			...(meta === '' ? {} : { meta }),
			onMessage: (one) => {
				if (onProgress !== undefined && one.includes('"notifications/progress"')) onProgress(JSON.parse(one).params);
			},
		});
		const { result, error } = message;
		if (error !== undefined) throw new Refused(error.code, error.message, error.data);
		if (result === undefined) throw new Error(`no response: ${status} ${text}`);
		if (result.resultType !== 'input_required') return result;
		const requests = Object.entries<Said>(result.inputRequests ?? {});
		const answers = requests.map(async ([key, one]) => [key, await this.reply(one.method, one.params)] as const);
		const inputResponses = Object.fromEntries(await untilAborted(Promise.all(answers), options.signal));
		const state = result.requestState === undefined ? {} : { requestState: result.requestState };
		return this.use(method, { ...params, inputResponses, ...state }, options);
	}

	tell(method: string): Promise<unknown> {
		return this.wire.notify(method);
	}

	async watch({ lists, uris }: Wanted): Promise<() => Promise<void>> {
		if (this.wire.era === 'legacy') {
			for (const uri of uris) await this.use('resources/subscribe', { uri });
			return async () => {
				for (const uri of uris) await this.use('resources/unsubscribe', { uri });
			};
		}
		const kinds = lists ? { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true } : {};
		const stream = await this.wire.listen(
			JSON.stringify({ ...kinds, ...(uris.length === 0 ? {} : { resourceSubscriptions: uris }) }),
		);
		return async () => stream.close();
	}

	async close(): Promise<void> {
		if (this.wire.era === 'legacy') await this.wire.end();
	}

	/** Closing a connection cancels in the new era only; an old client says so, and then stops to wait. */
	private cancelling(id: number, signal: AbortSignal): AbortSignal {
		if (this.wire.era === 'modern') return signal;
		const aborter = new AbortController();
		signal.addEventListener('abort', () => {
			void this.wire
				.notify('notifications/cancelled', JSON.stringify({ requestId: id }))
				.then(() => setTimeout(() => aborter.abort(), 500));
		});
		return aborter.signal;
	}

	private reply(method: string, params: Loose): unknown {
		this.asked.push({ method, params });
		return this.answer(method, params);
	}
}

async function untilAborted<T>(value: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
	if (signal === undefined) return value;
	const aborted = new Promise<never>((_resolve, reject) => {
		signal.addEventListener('abort', () => reject(new Error('aborted')));
	});
	return Promise.race([value, aborted]);
}
