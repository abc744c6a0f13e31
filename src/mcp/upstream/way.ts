/** The two ways to greet a server: `server/discover` and `initialize`. */
export type Way = 'modern' | 'legacy';

export function otherWay(way: Way): Way {
	return way === 'modern' ? 'legacy' : 'modern';
}
