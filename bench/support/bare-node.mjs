// The limit for a Node process: `http` that answers every request with the same bytes. Plain JavaScript, so that no loader
// stands in its way. Its argument is a JSON file: a list of { path, ifModifiedSince, status, headers, bodyFile }.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const answers = new Map();
for (const { path, ifModifiedSince, status, headers, bodyFile } of JSON.parse(readFileSync(process.argv[2], 'utf8'))) {
  answers.set(`${path} ${ifModifiedSince ?? ''}`, {
    status,
    headers,
    body: bodyFile ? readFileSync(bodyFile) : undefined,
  });
}

const server = createServer((request, response) => {
  const { status, headers, body } = answers.get(`${request.url} ${request.headers['if-modified-since'] ?? ''}`);
  response.writeHead(status, headers);
  response.end(body);
});
server.listen(Number(process.argv[3]), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
