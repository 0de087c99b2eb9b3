import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Passwords } from '../ports/passwords';

/** Runs in the thread. It stands here as text because the product is bundled in two ways and a file would be in two places. */
const THREAD = `
const { parentPort, workerData } = require('node:worker_threads');
const bcrypt = require(workerData.bcrypt);
parentPort.on('message', ({ id, secret, hash, cost }) => {
  try {
    const answer = hash === null ? bcrypt.hashSync(secret, cost) : bcrypt.compareSync(secret, hash);
    parentPort.postMessage({ id, answer });
  } catch (error) {
    parentPort.postMessage({ id, error: String(error && error.message) });
  }
});
`;

interface Answer {
  id: number;
  answer?: string | boolean;
  error?: string;
}

interface Waiting {
  resolve(answer: string | boolean): void;
  reject(error: Error): void;
}

/**
 * bcryptjs in one worker thread: its "asynchronous" form still computes on the event loop, and one hash there would hold
 * up every install for 60 ms. The thread starts at the first use and never keeps the process alive.
 *
 * @param root the project's folder, where node_modules stands
 * @param cost bcrypt's cost; 10 in production
 */
export function bcryptPasswords(root: string, cost = 10): Passwords {
  const bcrypt = createRequire(join(root, 'package.json')).resolve('bcryptjs');
  const waiting = new Map<number, Waiting>();
  let thread: Worker | null = null;
  let lastId = 0;

  const fail = (error: Error) => {
    thread = null;
    for (const each of waiting.values()) each.reject(error);
    waiting.clear();
  };

  const start = (): Worker => {
    const worker = new Worker(THREAD, { eval: true, workerData: { bcrypt } });
    worker.on('message', ({ id, answer, error }: Answer) => {
      const asked = waiting.get(id);
      waiting.delete(id);
      if (waiting.size === 0) worker.unref();
      if (error !== undefined || answer === undefined) asked?.reject(new Error(error ?? 'bcrypt gave no answer'));
      else asked?.resolve(answer);
    });
    worker.on('error', fail);
    worker.on('exit', () => fail(new Error('The hashing thread ended.')));
    worker.unref();
    return worker;
  };

  const ask = (secret: string, hash: string | null) =>
    new Promise<string | boolean>((resolve, reject) => {
      thread ??= start();
      lastId += 1;
      waiting.set(lastId, { resolve, reject });
      thread.ref();
      thread.postMessage({ id: lastId, secret, hash, cost });
    });

  return {
    hash: async (secret) => String(await ask(secret.reveal(), null)),
    matches: async (secret, hash) => (/^\$2[aby]\$/.test(hash) ? (await ask(secret.reveal(), hash)) === true : false),
    close: async () => {
      await thread?.terminate();
    },
  };
}
