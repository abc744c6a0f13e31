import { decodeString, isScanFault, scanJson } from '../lib/json-scan.ts';
import type { Look, Member, Scanned } from '../lib/json-scan.ts';

/**
 * A JSON object as the bytes that came. Only what is asked for is decoded: a reply may have 8 MiB, and `JSON.parse` of
 * that would hold up every other client of the gateway. What is passed on keeps its bytes, and so its large numbers.
 */
export class ObjectText {
	private readonly scanned: Scanned;
	private readonly place: Place;

	private constructor(scanned: Scanned, place: Place) {
		this.scanned = scanned;
		this.place = place;
	}

	/**
	 * Reads a text, and its members as far as `look` says; else says why it is not taken: `no object`, or `duplicate-key at
	 * byte 7` and the like (`ScanFault`). More than `maximum` members to look at are refused.
	 */
	static read(text: Buffer, look: Look, maximum: number = maximumMembers): ObjectText | string {
		const scanned = scanJson(text, look, maximum);
		if (isScanFault(scanned)) return `${scanned.fault} at byte ${scanned.at}`;
		return ObjectText.at(scanned, scanned) ?? 'no object';
	}

	static empty(): ObjectText {
		const text = Buffer.from('{}');
		return new ObjectText({ text, start: 0, end: 2, members: [] }, { start: 0, end: 2, members: [] });
	}

	private static at(scanned: Scanned, place: Place): ObjectText | null {
		return scanned.text[place.start] === 0x7b ? new ObjectText(scanned, place) : null;
	}

	/** Its bytes, without a line break. */
	get text(): Buffer {
		return this.scanned.text.subarray(this.place.start, this.place.end);
	}

	has(key: string): boolean {
		return this.member(key) !== null;
	}

	/** The bytes of a member's value; null when it is not there. */
	bytes(key: string): Buffer | null {
		const member = this.member(key);
		return member === null ? null : this.scanned.text.subarray(member.start, member.end);
	}

	/** A member that is a string; null when it is none. */
	string(key: string): string | null {
		const member = this.member(key);
		const { text } = this.scanned;
		return member !== null && text[member.start] === 0x22 ? decodeString(text, member.start, member.end) : null;
	}

	/** A member that is an object which was looked into; null when it is none. */
	object(key: string): ObjectText | null {
		const member = this.member(key);
		return member === null ? null : ObjectText.at(this.scanned, member);
	}

	/** The bytes of each entry of a list that was looked into. */
	entries(key: string): Buffer[] {
		const member = this.member(key);
		if (member === null || this.scanned.text[member.start] !== 0x5b) return [];
		return (member.members ?? []).map(({ start, end }) => this.scanned.text.subarray(start, end));
	}

	private member(key: string): Member | null {
		return this.place.members?.find((member) => member.key === key) ?? null;
	}
}

/** More are no list that a person reads. */
const maximumMembers = 100_000;

/** Where an object stands, with its members when it was looked into. */
type Place = Pick<Member, 'start' | 'end' | 'members'>;
