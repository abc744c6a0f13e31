import { isUtf8 } from 'node:buffer';

/** Packs fields into bytes, one after the other, without names: writer and reader agree on their order. */
export class PackedWriter {
	private readonly parts: Buffer[] = [];

	/** A whole number from 0 to 2^48 - 1; 6 bytes. */
	number(value: number): void {
		const part = Buffer.allocUnsafe(6);
		part.writeUIntBE(value, 0, 6);
		this.parts.push(part);
	}

	/** A whole number from 0 to 255. */
	byte(value: number): void {
		const part = Buffer.allocUnsafe(1);
		part.writeUInt8(value);
		this.parts.push(part);
	}

	flag(value: boolean): void {
		this.byte(value ? 1 : 0);
	}

	/** At most 65,534 bytes, after a length of 2; null is a length of its own. */
	bytes(value: Buffer | null): void {
		const head = Buffer.allocUnsafe(2);
		if (value !== null && value.length >= nothing) throw new RangeError('a packed field is too long');
		head.writeUInt16BE(value === null ? nothing : value.length);
		this.parts.push(head);
		if (value !== null) this.parts.push(value);
	}

	text(value: string | null): void {
		this.bytes(value === null ? null : Buffer.from(value));
	}

	finish(): Buffer {
		return Buffer.concat(this.parts);
	}
}

/**
 * Reads what `PackedWriter` wrote. It never throws: what is not there or not of the right form is read as empty, and
 * `finish` then says so.
 */
export class PackedReader {
	private readonly packed: Buffer;
	private at = 0;
	private sound = true;

	constructor(packed: Buffer) {
		this.packed = packed;
	}

	number(): number {
		const start = this.take(6);
		return start < 0 ? 0 : this.packed.readUIntBE(start, 6);
	}

	byte(): number {
		const start = this.take(1);
		return start < 0 ? 0 : this.packed.readUInt8(start);
	}

	flag(): boolean {
		const value = this.byte();
		return value <= 1 ? value === 1 : this.fault(false);
	}

	bytesOrNull(): Buffer | null {
		const head = this.take(2);
		const length = head < 0 ? 0 : this.packed.readUInt16BE(head);
		if (length === nothing) return null;
		const start = this.take(length);
		return start < 0 ? empty : this.packed.subarray(start, start + length);
	}

	bytes(): Buffer {
		return this.bytesOrNull() ?? this.fault(empty);
	}

	textOrNull(): string | null {
		const bytes = this.bytesOrNull();
		if (bytes === null) return null;
		return isUtf8(bytes) ? bytes.toString() : this.fault('');
	}

	text(): string {
		return this.textOrNull() ?? this.fault('');
	}

	/** Nothing is left to read, or nothing that makes sense. */
	get ended(): boolean {
		return !this.sound || this.at === this.packed.length;
	}

	/** Whether every field was there and in order, and nothing is left. */
	finish(): boolean {
		return this.sound && this.at === this.packed.length;
	}

	private take(length: number): number {
		const start = this.at;
		if (!this.sound || length > this.packed.length - start) return this.fault(-1);
		this.at = start + length;
		return start;
	}

	private fault<T>(value: T): T {
		this.sound = false;
		return value;
	}
}

/** The length that stands for null. */
const nothing = 0xffff;
const empty = Buffer.alloc(0);
