import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A TCP line to a server that a test can cut (connections refused and reset) or freeze (bytes stop). */
export interface WeakLine {
  /** The same URL, through the line. */
  url: string;
  cut(): void;
  freeze(): void;
  mend(): void;
}

export async function aWeakLine(to: string): Promise<WeakLine> {
  const target = new URL(to);
  let state: 'whole' | 'cut' | 'frozen' = 'whole';
  const pairs = new Set<[Socket, Socket]>();
  const server = createServer((near) => {
    if (state === 'cut') {
      near.destroy();
      return;
    }
    const far = connect(Number(target.port), target.hostname);
    const pair: [Socket, Socket] = [near, far];
    pairs.add(pair);
    near.on('data', (bytes) => state !== 'frozen' && far.write(bytes));
    far.on('data', (bytes) => state !== 'frozen' && near.write(bytes));
    for (const [one, other] of [pair, [far, near] as const]) {
      one.on('error', () => other.destroy());
      one.on('close', () => {
        other.destroy();
        pairs.delete(pair);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(to);
  url.port = String((server.address() as AddressInfo).port);
  const dropAll = () => {
    for (const [near, far] of pairs) {
      near.destroy();
      far.destroy();
    }
  };
  onTestFinished(async () => {
    dropAll();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    url: url.href,
    cut() {
      state = 'cut';
      dropAll();
    },
    freeze() {
      state = 'frozen';
    },
    mend() {
      if (state === 'frozen') dropAll();
      state = 'whole';
    },
  };
}
