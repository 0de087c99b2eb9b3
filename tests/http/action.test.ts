import { redirect } from 'next/navigation';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { action } from '../../lib/http/action';
import { DomainError } from '../../lib/kit/errors';
import type { App } from '../../lib/ports/app';

const order = z.object({ email: z.email('Give a mail address.'), quantity: z.coerce.number().max(50, 'At most 50.') });

function form(fields: Record<string, string>): FormData {
  const filled = new FormData();
  for (const [name, value] of Object.entries(fields)) filled.set(name, value);
  return filled;
}

function anApp() {
  const logged: { sentence: string; fields: unknown }[] = [];
  const log = { error: (sentence: string, fields: unknown) => logged.push({ sentence, fields }) };
  return { app: async () => ({ log }) as unknown as App, logged };
}

const good = { email: 'ada@shop.example', quantity: '2', $ACTION_ID: 'next' };

test('a form that cannot be read is refused with a sentence per field, and nothing is done', async () => {
  let done = 0;
  const buy = action(anApp().app, order, async () => done++);
  const answer = await buy(null, form({ email: 'ada', quantity: '99' }));
  expect(answer).toEqual({
    ok: false,
    sentence: 'Give a mail address.',
    fields: { email: 'Give a mail address.', quantity: 'At most 50.' },
  });
  expect(done).toBe(0);
});

test('a refusal becomes its sentence and is not logged', async () => {
  const { app, logged } = anApp();
  const buy = action(app, order, async () => {
    throw new DomainError('not-for-sale', 'Forms Pro cannot be bought here at the moment.');
  });
  expect(await buy(null, form(good))).toEqual({
    ok: false,
    sentence: 'Forms Pro cannot be bought here at the moment.',
    fields: {},
  });
  expect(logged).toEqual([]);
});

test('a bug is logged once under an id, and only the id is shown', async () => {
  const { app, logged } = anApp();
  const buy = action(app, order, async () => {
    throw new Error('password authentication failed for user "postgres"');
  });
  const answer = await buy(null, form(good));
  if (answer.ok) throw new Error('the bug went unnoticed');
  const [id] = /req_\w{16}/.exec(answer.sentence) ?? [];
  expect(answer.sentence).not.toMatch(/postgres/);
  expect(logged).toHaveLength(1);
  expect(logged[0]).toMatchObject({ fields: { requestId: id, error: expect.stringContaining('postgres') } });
});

test('a redirect passes through, and a success carries its value', async () => {
  const { app, logged } = anApp();
  const leave = action(app, order, async () => redirect('/thank-you'));
  await expect(leave(null, form(good))).rejects.toMatchObject({ digest: expect.stringContaining('/thank-you') });
  expect(logged).toEqual([]);

  const double = action(app, order, async (_app, { quantity }) => quantity * 2);
  expect(await double(null, form(good))).toEqual({ ok: true, value: 4 });
});
