import type { ServerFacts } from '../model.ts';
import type { ToolHeaders } from './tool-headers.ts';

/** What earlier connections have found out about a server, above all which eras it speaks. One for each target. */
export class EraMemory {
	/** What the server said of itself in its last handshake. */
	server: ServerFacts | null = null;
	readonly tools: ToolHeaders;
	private modern: Verdict | null = null;
	private legacy: Verdict | null = null;

	constructor(tools: ToolHeaders) {
		this.tools = tools;
	}

	/** What a server says of itself; where it said the same before, what is kept of that: sessions have it in common. */
	same(server: ServerFacts): ServerFacts {
		const { server: known } = this;
		const isSame =
			known !== null &&
			known.protocolVersion === server.protocolVersion &&
			known.instructions === server.instructions &&
			known.serverInfoText.equals(server.serverInfoText) &&
			known.capabilitiesText.equals(server.capabilitiesText);
		if (!isSame) this.server = server;
		return isSame ? known : server;
	}

	/** Whether the server is known not to speak it. */
	lacks(era: Era): boolean {
		return this[era]?.speaks === false;
	}

	note(era: Era, speaks: boolean): void {
		this[era] = { speaks, since: performance.now() };
	}

	/** The server answers to nothing any more; it may come back as another. */
	forget(): void {
		this.modern = null;
		this.legacy = null;
	}

	/**
	 * Whether it should be asked again: a server that has been upgraded still answers to `initialize`, so an old verdict
	 * against the new era would hold for ever. True at most once per age.
	 */
	wantsAnotherLook(): boolean {
		const { modern } = this;
		if (modern === null || modern.speaks || performance.now() - modern.since < verdictAgeMs) return false;
		this.modern = { speaks: false, since: performance.now() };
		return true;
	}
}

type Era = 'modern' | 'legacy';

interface Verdict {
	readonly speaks: boolean;
	/** On the monotonic clock. */
	readonly since: number;
}

const verdictAgeMs = 10 * 60_000;
