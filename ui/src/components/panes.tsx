import clsx from 'clsx';
import { Children, Fragment, type KeyboardEvent, type PointerEvent, type ReactNode, useRef, useState } from 'react';

export interface PanesProps {
	/** Under this name the sizes are remembered. */
	id: string;
	/** Shares of the width at first; they add up to 100. */
	sizes: readonly number[];
	/** Names of the dividers for screen readers, one fewer than panes. */
	dividers: readonly string[];
	children: ReactNode;
}

const smallest = 12;

/** Panes side by side whose widths can be changed by pointer and arrow keys; on narrow screens they stack. */
export function Panes({ id, sizes, dividers, children }: PanesProps) {
	const [shares, setShares] = useState(() => remembered(id, sizes));
	const row = useRef<HTMLDivElement>(null);
	const panes = Children.toArray(children);
	const move = (index: number, by: number) => {
		const next = shifted(shares, index, by);
		setShares(next);
		localStorage.setItem(keyOf(id), JSON.stringify(next));
	};
	return (
		<div ref={row} className="flex min-h-0 flex-1 flex-col gap-3 lg:flex-row lg:gap-0">
			{panes.map((pane, index) => (
				// Panes never change places.
				<Fragment key={index}>
					<div
						className={clsx('flex min-w-0 flex-col lg:min-h-0 lg:[flex:var(--share)_1_0%]')}
						style={{ ['--share' as string]: shares[index] }}
					>
						{pane}
					</div>
					{index < panes.length - 1 && (
						<Divider
							name={dividers[index] ?? 'Resize'}
							value={shares[index] ?? 0}
							onKey={(by) => move(index, by)}
							onDrag={(pixels) => move(index, (pixels / (row.current?.clientWidth ?? 1)) * 100)}
						/>
					)}
				</Fragment>
			))}
		</div>
	);
}

interface DividerProps {
	name: string;
	value: number;
	onKey: (by: number) => void;
	onDrag: (pixels: number) => void;
}

function Divider({ name, value, onKey, onDrag }: DividerProps) {
	const key = (event: KeyboardEvent) => {
		if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
		event.preventDefault();
		onKey(event.key === 'ArrowLeft' ? -2 : 2);
	};
	const drag = (event: PointerEvent) => {
		if (event.currentTarget.hasPointerCapture(event.pointerId) && event.movementX !== 0) onDrag(event.movementX);
	};
	return (
		<div
			role="separator"
			tabIndex={0}
			aria-orientation="vertical"
			aria-label={name}
			aria-valuenow={Math.round(value)}
			aria-valuemin={smallest}
			aria-valuemax={100 - smallest}
			onKeyDown={key}
			onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
			onPointerMove={drag}
			className="mx-0.5 hidden w-2 shrink-0 cursor-col-resize touch-none rounded hover:bg-line lg:block"
		/>
	);
}

function keyOf(id: string): string {
	return `agentgateway.panes.${id}`;
}

function remembered(id: string, sizes: readonly number[]): readonly number[] {
	try {
		const value: unknown = JSON.parse(localStorage.getItem(keyOf(id)) ?? 'null');
		const fits = Array.isArray(value) && value.length === sizes.length;
		return fits && value.every((share) => typeof share === 'number' && share >= smallest) ? (value as number[]) : sizes;
	} catch {
		return sizes;
	}
}

/** Gives `by` percent of the pane behind a divider to the one before it, within limits. */
export function shifted(shares: readonly number[], index: number, by: number): readonly number[] {
	const before = shares[index] ?? 0;
	const behind = shares[index + 1] ?? 0;
	const most = before + behind - smallest;
	const grown = Math.min(Math.max(before + by, smallest), Math.max(most, smallest));
	return shares.map((share, at) => (at === index ? grown : at === index + 1 ? before + behind - grown : share));
}
