// Load from wrk: keep-alive connections that send one JSON-RPC request after the other, each with an id of its own.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { promisify } from 'node:util';

const exec = promisify(execFile);

/**
 * Runs wrk on core 1 and gives requests, errors, rate per second, and p50 and p99 in milliseconds.
 * In `body`, `@ID@` becomes a new number with each request.
 */
export async function load({ script, url, headers, body, connections, seconds }) {
	const [before, after] = body.split('@ID@');
	const lines = Object.entries({ 'content-type': 'application/json', ...headers }).map(
		([name, value]) => `h[${JSON.stringify(name)}] = ${JSON.stringify(value)}`,
	);
	writeFileSync(
		script,
		`local h = {}
${lines.join('\n')}
local n = 1000
request = function()
  n = n + 1
  return wrk.format('POST', nil, h, [==[${before}]==] .. n .. [==[${after}]==])
end
local wrong = 0
response = nil
done = function(summary, latency, requests)
  io.write(string.format('RESULT %d %d %d %f %f %d\\n', summary.requests, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, summary.duration))
end
`,
	);
	const args = ['-c', '1', 'wrk', '-t1', '--timeout', '20s', `-c${connections}`, `-d${seconds}s`, '-s', script, url];
	const { stdout } = await exec('taskset', args);
	const found = /RESULT (\d+) (\d+) (\d+) ([\d.]+) ([\d.]+) (\d+)/.exec(stdout);
	if (found === null) throw new Error(`wrk said: ${stdout}`);
	const [requests, refused, broken, p50, p99, microseconds] = found.slice(1).map(Number);
	return { requests, errors: refused + broken, rate: requests / (microseconds / 1e6), p50, p99 };
}
