import { Outlet } from '@tanstack/react-router';
import { Menu, PanelLeftClose, PanelLeftOpen, X } from 'lucide-react';
import { Dialog } from 'radix-ui';
import { useState } from 'react';
import { useLiveState } from '../api/live-state.tsx';
import { Button } from '../components/button.tsx';
import { ConfigBanner } from './config-banner.tsx';
import { LinkState } from './link-state.tsx';
import { Navigation } from './navigation.tsx';
import { PressureBanner } from './pressure-banner.tsx';
import { ThemeSwitch } from './theme-switch.tsx';

const narrowKey = 'agentgateway.navigation';

/** What stands around every page. */
export function Shell() {
	const [narrow, setNarrow] = useState(() => localStorage.getItem(narrowKey) === 'narrow');
	const { state } = useLiveState();
	const fold = () => {
		localStorage.setItem(narrowKey, narrow ? 'wide' : 'narrow');
		setNarrow(!narrow);
	};
	const Fold = narrow ? PanelLeftOpen : PanelLeftClose;
	return (
		<div className="flex h-full flex-col">
			<a href="#main" className="sr-only z-50 bg-raised p-2 focus:not-sr-only focus:absolute focus:top-1 focus:left-1">
				Skip to the page
			</a>
			<header className="flex h-12 shrink-0 items-center gap-2 border-line border-b bg-raised px-3">
				<Drawer />
				<Logo />
				<span className="font-semibold text-14">agentgateway</span>
				{state !== undefined && <span className="hidden text-12 text-muted sm:inline">{state.version}</span>}
				<div className="ml-auto flex items-center gap-2">
					<LinkState />
					<ThemeSwitch />
				</div>
			</header>
			<div className="flex min-h-0 flex-1">
				<aside
					className={`hidden shrink-0 flex-col border-line border-r bg-raised md:flex ${narrow ? 'w-13' : 'w-[216px]'}`}
				>
					<Navigation narrow={narrow} />
					<Button
						variant="ghost"
						size="sm"
						className="m-2 mt-auto self-start"
						aria-label={narrow ? 'Show the names of the pages' : 'Fold the navigation'}
						onClick={fold}
					>
						<Fold className="size-4" aria-hidden="true" />
					</Button>
				</aside>
				<main id="main" tabIndex={-1} className="flex min-w-0 flex-1 flex-col overflow-auto outline-none">
					<div className="flex max-w-[1120px] flex-col gap-2 px-4 pt-4 empty:hidden sm:px-6">
						<PressureBanner />
						<ConfigBanner />
					</div>
					<Outlet />
				</main>
			</div>
		</div>
	);
}

function Drawer() {
	const [open, setOpen] = useState(false);
	return (
		<Dialog.Root open={open} onOpenChange={setOpen}>
			<Dialog.Trigger asChild>
				<Button variant="ghost" size="sm" className="md:hidden" aria-label="Show the pages">
					<Menu className="size-4" aria-hidden="true" />
				</Button>
			</Dialog.Trigger>
			<Dialog.Portal>
				<Dialog.Overlay className="fixed inset-0 z-40 bg-[oklch(0_0_0/0.4)]" />
				<Dialog.Content
					aria-describedby={undefined}
					className="fixed inset-y-0 left-0 z-50 w-[216px] border-line border-r bg-raised"
				>
					<div className="flex h-12 items-center border-line border-b px-3">
						<Dialog.Title className="font-semibold text-14">Pages</Dialog.Title>
						<Dialog.Close asChild>
							<Button variant="ghost" size="sm" className="ml-auto" aria-label="Close">
								<X className="size-4" aria-hidden="true" />
							</Button>
						</Dialog.Close>
					</div>
					<Navigation narrow={false} onChoose={() => setOpen(false)} />
				</Dialog.Content>
			</Dialog.Portal>
		</Dialog.Root>
	);
}

function Logo() {
	return (
		<svg viewBox="0 0 16 16" className="size-5 text-accent" aria-hidden="true">
			<rect width="16" height="16" rx="4" fill="currentColor" />
			<path
				d="M3.5 4.5H7a2 2 0 0 1 2 2v3a2 2 0 0 0 2 2h1.500M3.500 11.500H7a2 2 0 0 0 2-2v-3a2 2 0 0 1 2-2h1.500"
				fill="none"
				stroke="var(--accent-text)"
				strokeWidth="1.500"
				strokeLinecap="round"
			/>
		</svg>
	);
}
