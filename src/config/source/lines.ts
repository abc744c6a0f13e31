/** 1-based line and column of an offset. */
export interface LinePlace {
	line: number;
	column: number;
}

/** Indexes the line starts of a text (`\n` and `\r\n`) and returns the lookup offset → line and column. */
export function lineIndex(text: string): (offset: number) => LinePlace {
	const starts = [0];
	for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
		starts.push(at + 1);
	}
	return (offset) => {
		let low = 0;
		let high = starts.length - 1;
		while (low < high) {
			const middle = (low + high + 1) >> 1;
			if ((starts[middle] ?? 0) <= offset) {
				low = middle;
			} else {
				high = middle - 1;
			}
		}
		return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
	};
}
