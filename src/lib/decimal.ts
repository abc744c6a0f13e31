/**
 * Writes an integer without point and exponent: `42.0` and `4.2e1` become `42`, `-0` becomes `0`. Plain integers stay
 * digit for digit, however long. What is no integer, or too large to be written out exactly, stays as it is.
 * `written` is a JSON number.
 */
export function plainDecimal(written: string): string {
	if (/^-?[1-9]\d*$/.test(written)) return written;
	const number = Number(written);
	if (!Number.isSafeInteger(number)) return written;
	const plain = String(number);
	return sameDecimal(plain, written) ? plain : written;
}

/**
 * Whether two decimal texts mean the same number, exactly: through floating point, 2^53 and 2^53+1 would be equal.
 * False when one of them is no decimal number. Takes what JSON takes, and zeros in front.
 */
export function sameDecimal(one: string, other: string): boolean {
	const first = normal(one);
	return first !== null && first === normal(other);
}

/** Sign, digits without zeros at the ends, and exponent; null for what is no number. */
function normal(text: string): string | null {
	const parts = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,15}))?$/.exec(text);
	if (parts === null) return null;
	const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts;
	const digits = whole + fraction;
	let start = 0;
	while (digits[start] === '0') start++;
	if (start === digits.length) return '0';
	let end = digits.length;
	while (digits[end - 1] === '0') end--;
	return `${sign}${digits.slice(start, end)}e${Number(exponent) - fraction.length + digits.length - end}`;
}
