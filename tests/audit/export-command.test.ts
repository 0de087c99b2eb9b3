import { expect, test } from 'vitest';
import { auditCommands } from '../../bin/commands/audit';
import { aTestApp } from '../support/test-app';

test('an export on the command line stands in the log, with what was asked for', async () => {
  const app = await aTestApp();
  const command = auditCommands.find(({ words }) => words === 'audit export');
  const asked: Record<string, string> = { format: 'jsonl', verdict: 'refused' };

  await command?.run(app, {
    operands: [],
    text: (flag) => asked[flag] ?? null,
    texts: () => [],
    has: () => false,
  });

  const events = await app.db.auditEvent.findMany({ select: { action: true, actor: true, data: true } });
  expect(events).toEqual([{ action: 'audit.exported', actor: 'cli', data: { format: 'jsonl', verdict: 'refused' } }]);
});
