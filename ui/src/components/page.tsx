import { type ReactNode, useEffect } from 'react';

export interface PageProps {
	title: string;
	/** One line below the title. */
	summary?: ReactNode;
	children: ReactNode;
	/** Work pages use the whole width and height; reading pages stop at 1,120 px. */
	wide?: boolean;
}

/** The frame of a page: its one `h1`, the title of the tab, the width. */
export function Page({ title, summary, children, wide = false }: PageProps) {
	useEffect(() => {
		document.title = `${title} · agentgateway`;
	}, [title]);
	return (
		<div className={wide ? 'flex min-h-0 flex-1 flex-col p-3 sm:p-4' : 'w-full max-w-[1120px] p-4 sm:p-6'}>
			<header className={wide ? 'mb-3' : 'mb-5'}>
				<h1 className="font-semibold text-20">{title}</h1>
				{summary !== undefined && <div className="mt-0.5 text-13 text-muted">{summary}</div>}
			</header>
			{children}
		</div>
	);
}
