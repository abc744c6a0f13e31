import { Monitor, Moon, Sun } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../components/button.tsx';
import { storedTheme, storeTheme, type Theme } from './theme.ts';

const order: readonly Theme[] = ['system', 'light', 'dark'];
const icons = { system: Monitor, light: Sun, dark: Moon };
const words = { system: 'as the system', light: 'light', dark: 'dark' };

/** Goes round system, light and dark. */
export function ThemeSwitch() {
	const [theme, setTheme] = useState(storedTheme);
	const next = order[(order.indexOf(theme) + 1) % order.length] ?? 'system';
	const Icon = icons[theme];
	const choose = () => {
		storeTheme(next);
		setTheme(next);
	};
	const label = `Theme: ${words[theme]}. Change to ${words[next]}`;
	return (
		<Button variant="ghost" size="sm" aria-label={label} title={label} onClick={choose}>
			<Icon className="size-4" aria-hidden="true" />
		</Button>
	);
}
