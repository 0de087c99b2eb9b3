import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';

/** What a client asks for, and with which headers. */
export interface Ask {
  path: string;
  headers: Record<string, string>;
}

export interface Load {
  requests: number;
  seconds: number;
  p99Ms: number;
  /** How many answers were not 200, 206 or 304; a benchmark of refusals would look fast. */
  failed: number;
}

const isThere = (program: string) =>
  [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'].some((folder) =>
    existsSync(join(folder, program)),
  );
export const hasWrk = isThere('wrk');
export const hasNginx = isThere('nginx');

/** Sends `asks` in turn over and over for some seconds, each connection waiting for its answer. */
export async function load(
  folder: string,
  { port, connections, seconds, asks }: { port: number; connections: number; seconds: number; asks: readonly Ask[] },
): Promise<Load> {
  if (!hasWrk) return ownClient({ port, connections, seconds, requests: asks });
  const script = join(folder, 'requests.lua');
  await writeFile(script, luaOf(asks));
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '-s', script, `http://127.0.0.1:${port}`];
  const { status, requests, durationMicros, p99Micros, failed } = JSON.parse(await outputOf('wrk', args)) as Record<
    string,
    number
  >;
  if (!requests || !durationMicros || status) throw new Error(`wrk sent nothing to port ${port}.`);
  return { requests, seconds: durationMicros / 1e6, p99Ms: (p99Micros ?? 0) / 1_000, failed: failed ?? 0 };
}

/** Sends each of `asks` once, over `connections` at a time. */
export function loadOnce(port: number, connections: number, asks: readonly Ask[]): Promise<Load> {
  return ownClient({ port, connections, once: true, requests: asks });
}

async function ownClient(order: object): Promise<Load> {
  const answer = await outputOf(process.execPath, [join(import.meta.dirname, 'client.mjs')], JSON.stringify(order));
  const { statuses, ...measured } = JSON.parse(answer) as Omit<Load, 'failed'> & { statuses: Record<string, number> };
  const good = (statuses[200] ?? 0) + (statuses[206] ?? 0) + (statuses[304] ?? 0);
  return { ...measured, failed: measured.requests - good };
}

/** wrk's own summary is for people; `done` prints what is needed as JSON instead, on the last line. */
function luaOf(asks: readonly Ask[]): string {
  const requests = asks.map(({ path, headers }) => {
    const fields = Object.entries(headers).map(([name, value]) => `[${quoted(name)}]=${quoted(value)}`);
    return `  wrk.format("GET", ${quoted(path)}, {${fields.join(',')}}),`;
  });
  return `
local requests = nil
local turn = 0
init = function(args)
  wrk.headers["Host"] = wrk.host .. ":" .. wrk.port
  requests = {
${requests.join('\n')}
  }
end
request = function()
  turn = turn % #requests + 1
  return requests[turn]
end
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('\\n{"requests":%d,"durationMicros":%d,"p99Micros":%d,"failed":%d}\\n', summary.requests,
    summary.duration, latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
`;
}

function quoted(value: string): string {
  return JSON.stringify(value);
}

async function outputOf(program: string, args: readonly string[], input = ''): Promise<string> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(input);
  const [output, code] = await Promise.all([
    text(child.stdout),
    new Promise((resolve, reject) => child.once('error', reject).once('close', resolve)),
  ]);
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${output}`);
  return output.trim().split('\n').at(-1) ?? '';
}
