import { code, mcpError } from '../errors.ts';
import type { Call, McpError } from '../model.ts';
import { checkParamHeaders, paramHeaders } from '../params/param-values.ts';
import { argumentsOf, toolOf } from './called-tool.ts';
import type { Dialect } from './dialect.ts';
import type { ToolHeaders } from './tool-headers.ts';

/** The headers of a call, with those that its tool wants. */
export function callHeaders(call: Call, dialect: Dialect, tools: ToolHeaders): readonly string[] {
	const headers = dialect.headers(call);
	if (!dialect.mirrors || call.method !== 'tools/call') return headers;
	const declared = tools.of(toolOf(call));
	return declared === null ? headers : [...headers, ...paramHeaders(declared, argumentsOf(call))];
}

/** What a client mirrored in headers must be what it says in the body; only who knows the tool can tell. */
export function mirrorFault(call: Call, tools: ToolHeaders): McpError | null {
	if (call.mirrored === null || call.method !== 'tools/call') return null;
	const declared = tools.of(toolOf(call));
	const fault = declared === null ? null : checkParamHeaders(declared, argumentsOf(call), call.mirrored);
	return fault === null ? null : mcpError(code.headerMismatch, fault);
}
