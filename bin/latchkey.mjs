#!/usr/bin/env node
import { pathToFileURL } from 'node:url';
import { endToolsOnSignal, giveUp, prepare, ROOT, readEnvFile } from './prepare.mjs';

const handOver = endToolsOnSignal();
try {
  // On stderr: stdout is what the command answers.
  await prepare('code', (line) => process.stderr.write(`${line}\n`));
  readEnvFile();
} catch (error) {
  giveUp(error);
}
handOver();
process.env.NODE_ENV ??= 'production';
await import(pathToFileURL(`${ROOT}/dist/bin/latchkey.js`).href);
