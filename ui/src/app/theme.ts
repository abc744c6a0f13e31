/** What the person chose; `system` follows the operating system. */
export type Theme = 'system' | 'light' | 'dark';

const key = 'agentgateway.theme';

export function storedTheme(): Theme {
	const value = localStorage.getItem(key);
	return value === 'light' || value === 'dark' ? value : 'system';
}

export function storeTheme(theme: Theme): void {
	localStorage.setItem(key, theme);
	applyTheme(theme);
}

export function applyTheme(theme: Theme): void {
	if (theme === 'system') delete document.documentElement.dataset['theme'];
	else document.documentElement.dataset['theme'] = theme;
}
