import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export type ComposerLibrary = {
  /** What the PHP library answers; null where it refuses the text. */
  ask<Answer>(question: { ask: string } & Record<string, unknown>): Promise<Answer>;
  close(): Promise<void>;
};

/** The installed Composer's own PHP libraries in one process, to compare ours with. */
export function theComposerLibrary(): ComposerLibrary {
  const script = fileURLToPath(new URL('./composer-library.php', import.meta.url));
  const php = spawn('php', ['-d', 'display_errors=stderr', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: php.stdout })[Symbol.asyncIterator]();
  return {
    async ask<Answer>(question: { ask: string } & Record<string, unknown>) {
      php.stdin.write(`${JSON.stringify(question)}\n`);
      const line = await lines.next();
      if (line.done) throw new Error(`php ended at the question ${JSON.stringify(question)}`);
      return (JSON.parse(line.value) as { answer: Answer }).answer;
    },
    async close() {
      php.stdin.end();
      if (php.exitCode === null) await once(php, 'exit');
    },
  };
}
