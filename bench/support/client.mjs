// A small load generator in a process of its own: for requests that are to be sent once each, and where wrk is not there.
// Reads one JSON value on stdin: { port, connections, seconds | once, requests: [{ path, headers }] }; writes one on stdout.
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

const END_OF_HEAD = Buffer.from('\r\n\r\n');
const { port, connections, seconds = 0, once = false, requests } = JSON.parse(await text(process.stdin));
const wire = requests.map(({ path, headers }) => {
  const lines = Object.entries({ Host: `127.0.0.1:${port}`, ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return Buffer.from(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
});
const latenciesMs = [];
const statuses = {};
let next = 0;
const began = performance.now();
const endsAt = began + seconds * 1_000;

function nextRequest() {
  if (once) return next < wire.length ? wire[next++] : null;
  return performance.now() < endsAt ? wire[next++ % wire.length] : null;
}

await Promise.all(Array.from({ length: connections }, onOneConnection));
const tookSeconds = (performance.now() - began) / 1_000;
latenciesMs.sort((a, b) => a - b);
process.stdout.write(
  JSON.stringify({
    requests: latenciesMs.length,
    seconds: tookSeconds,
    p99Ms: latenciesMs[Math.floor(latenciesMs.length * 0.99)] ?? 0,
    statuses,
  }),
);

function onOneConnection() {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    let head = Buffer.alloc(0);
    let bodyLeft = -1;
    let sentAt = 0;
    const send = () => {
      const request = nextRequest();
      if (!request) return socket.end();
      sentAt = performance.now();
      socket.write(request);
    };
    socket.on('connect', send);
    socket.on('data', (bytes) => {
      if (bodyLeft < 0) {
        head = head.length === 0 ? bytes : Buffer.concat([head, bytes]);
        const end = head.indexOf(END_OF_HEAD);
        if (end < 0) return;
        const lines = head.toString('latin1', 0, end);
        const status = lines.slice(9, 12);
        statuses[status] = (statuses[status] ?? 0) + 1;
        bodyLeft = Number(/\r\ncontent-length: *(\d+)/i.exec(lines)?.[1] ?? 0);
        bytes = head.subarray(end + 4);
        head = Buffer.alloc(0);
      }
      bodyLeft -= bytes.length;
      if (bodyLeft > 0) return;
      bodyLeft = -1;
      latenciesMs.push(performance.now() - sentAt);
      send();
    });
    socket.on('error', reject);
    socket.on('close', resolve);
  });
}
