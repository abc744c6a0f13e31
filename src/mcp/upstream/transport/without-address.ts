/** Shorter parts of a query are no secrets, and shorter segments of a path are names. */
const shortestValue = 4;
const shortestSegment = 16;

/**
 * What a server answered, without what the address of its target may keep secret: credentials, the query, and long
 * segments of the path. Servers quote the path that they do not know, and clients are told what they answered.
 */
export function withoutAddress(body: Buffer, url: URL): Buffer {
	const parts = partsOf(url);
	if (parts.length === 0) return body;
	const text = parts.reduce((rest, part) => rest.replaceAll(part, '…'), body.toString('utf8'));
	return Buffer.from(text);
}

/** As they are written and as they are read, longest first. */
function partsOf({ username, password, pathname, search, searchParams }: URL): readonly string[] {
	const values = [
		...searchParams.values(),
		...search
			.slice(1)
			.split(/[&=]/)
			.filter((_, at) => at % 2 === 1),
	];
	const segments = pathname.split('/').filter((one) => one.length >= shortestSegment);
	const others = [username, password, ...segments];
	const parts = [...values, ...others, ...others.map(decoded)].filter(({ length }) => length >= shortestValue);
	if (search.length > 1) parts.push(search);
	return [...new Set(parts)].sort((a, b) => b.length - a.length);
}

function decoded(part: string): string {
	try {
		return decodeURIComponent(part);
	} catch {
		return part;
	}
}
