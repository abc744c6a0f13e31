import { type WallClock, Zone } from './zone.ts';

/** A tool as `tools/list` shows it, with what it does. */
export interface Tool {
	readonly name: string;
	readonly description: string;
	readonly inputSchema: Record<string, unknown>;
	readonly outputSchema: Record<string, unknown>;
	readonly annotations: Record<string, unknown>;
	run(args: Record<string, unknown>, now: Date): Record<string, unknown>;
}

/** What a tool could not do, in words for the model that called it. */
export class ToolError extends Error {}

const annotations = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false };

const timeResult = {
	type: 'object',
	properties: {
		timezone: { type: 'string' },
		datetime: { type: 'string' },
		day_of_week: { type: 'string' },
		is_dst: { type: 'boolean' },
	},
	required: ['timezone', 'datetime', 'day_of_week', 'is_dst'],
};

/** The tools of mcp-server-time: same names, arguments, results and error texts. `local` is the zone of this machine. */
export function timeTools(local: string): readonly Tool[] {
	const zone = (what: string) => ({
		type: 'string',
		description: `${what} as an IANA name, such as 'America/New_York' or 'Europe/London'. Use '${local}' if the user names none.`,
	});
	return [
		{
			name: 'get_current_time',
			description: 'Get current time in a specific timezone',
			inputSchema: { type: 'object', properties: { timezone: zone('Time zone') }, required: ['timezone'] },
			outputSchema: timeResult,
			annotations,
			run: (args, now) => timeIn(findZone(textArgument(args, 'timezone')), now),
		},
		{
			name: 'convert_time',
			description: 'Convert time between timezones',
			inputSchema: {
				type: 'object',
				properties: {
					source_timezone: zone('Time zone to convert from'),
					time: { type: 'string', description: 'Time to convert, 24-hour format (HH:MM)' },
					target_timezone: zone('Time zone to convert to'),
				},
				required: ['source_timezone', 'time', 'target_timezone'],
			},
			outputSchema: {
				type: 'object',
				properties: { source: timeResult, target: timeResult, time_difference: { type: 'string' } },
				required: ['source', 'target', 'time_difference'],
			},
			annotations,
			run: (args, now) => {
				const time = textArgument(args, 'time');
				return convert(
					findZone(textArgument(args, 'source_timezone')),
					time,
					findZone(textArgument(args, 'target_timezone')),
					now,
				);
			},
		},
	];
}

function textArgument(args: Record<string, unknown>, name: string): string {
	const value = args[name];
	if (typeof value !== 'string' || value === '') throw new ToolError(`Missing required argument: ${name}`);
	return value;
}

function findZone(name: string): Zone {
	const zone = Zone.find(name);
	if (zone === null) throw new ToolError(`Invalid timezone: 'No time zone found with key ${name}'`);
	return zone;
}

function timeIn(zone: Zone, at: Date): Record<string, unknown> {
	const clock = zone.wallClock(at);
	const weekday = new Date(Date.UTC(clock.year, clock.month - 1, clock.day)).toLocaleDateString('en-US', {
		weekday: 'long',
		timeZone: 'UTC',
	});
	return {
		timezone: zone.name,
		datetime: isoText(clock, zone.offset(at)),
		day_of_week: weekday,
		is_dst: zone.isDst(at),
	};
}

function convert(source: Zone, time: string, target: Zone, now: Date): Record<string, unknown> {
	const parsed = /^(\d{1,2}):(\d{1,2})$/.exec(time);
	const [hour, minute] = [Number(parsed?.[1]), Number(parsed?.[2])];
	if (parsed === null || hour > 23 || minute > 59)
		throw new ToolError('Invalid time format. Expected HH:MM [24-hour format]');
	const today = source.wallClock(now);
	const at = source.momentOf({ ...today, hour, minute, second: 0 });
	if (at === null) {
		const date = isoText(today, 0).slice(0, 10);
		throw new ToolError(
			`Invalid time: ${time} does not exist in ${source.name} on ${date} (skipped by a clock change)`,
		);
	}
	const hours = (target.offset(at) - source.offset(at)) / 60;
	const digits = Number.isInteger(hours) ? hours.toFixed(1) : hours.toFixed(2).replace(/0+$/, '');
	return {
		source: timeIn(source, at),
		target: timeIn(target, at),
		time_difference: `${hours < 0 ? '' : '+'}${digits}h`,
	};
}

function isoText(clock: WallClock, offset: number): string {
	const two = (value: number) => String(value).padStart(2, '0');
	const date = `${String(clock.year).padStart(4, '0')}-${two(clock.month)}-${two(clock.day)}`;
	const sign = offset < 0 ? '-' : '+';
	const zone = `${sign}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
	return `${date}T${two(clock.hour)}:${two(clock.minute)}:${two(clock.second)}${zone}`;
}
