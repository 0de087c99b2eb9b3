// Loaded into a server with --import: tells its parent, whenever asked, for how long its event loop stood still at most,
// and how much of such a pause was work of this process. The rest is the machine's: another process had the core.
const TICK_MS = 2;
let last = performance.now();
let lastCpu = process.cpuUsage();
let stall = { wallMs: 0, workMs: 0 };
setInterval(() => {
  const now = performance.now();
  const cpu = process.cpuUsage(lastCpu);
  const wallMs = Math.max(0, now - last - TICK_MS);
  // Other threads of the process count, too, so the pause bounds it.
  const workMs = Math.min(wallMs, (cpu.user + cpu.system) / 1_000);
  stall = { wallMs: Math.max(stall.wallMs, wallMs), workMs: Math.max(stall.workMs, workMs) };
  last = now;
  lastCpu = process.cpuUsage();
}, TICK_MS).unref();
process.on('message', (message) => {
  if (message !== 'stall?') return;
  process.send(stall);
  stall = { wallMs: 0, workMs: 0 };
});
process.channel?.unref();
