/** Whether a resource is the one that was subscribed, or a part of it, which servers may report, too. */
export function isWithin(uri: string, subscribed: string): boolean {
	if (!uri.startsWith(subscribed)) return false;
	return uri.length === subscribed.length || subscribed.endsWith('/') || '/?#'.includes(uri[subscribed.length] ?? ' ');
}
