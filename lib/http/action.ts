import { unstable_rethrow } from 'next/navigation';
import type { z } from 'zod';
import { isDomainError } from '../kit/errors';
import { newId } from '../kit/ids';
import type { App } from '../ports/app';
import { sentenceForBug } from './answer';

/** What a server action answers; plain data, since it crosses to the browser. */
export type ActionAnswer<T = null> =
  | { ok: true; value: T }
  | {
      ok: false;
      /** Names what was refused and the next step. */
      sentence: string;
      /** Sentences by the name of the field they are about. */
      fields: Record<string, string>;
    };

export type Action<T> = (previous: ActionAnswer<T> | null, form: FormData) => Promise<ActionAnswer<T>>;

/**
 * Makes a server action: parses the form once into a named type, does one thing, and turns a refusal into its
 * sentence. Redirects pass through. Any other error is a bug: it is logged once under a request id, and the answer
 * shows nothing of it but that id.
 *
 * The action is reachable by anyone who can send a request, so `act` decides who may.
 *
 * @param app where the running App comes from; asked with each call
 */
export function action<S extends z.ZodType, T>(
  app: () => Promise<App>,
  input: S,
  act: (app: App, input: z.output<S>) => Promise<T>,
): Action<T> {
  return async (_previous, form) => {
    const parsed = input.safeParse(formValues(form));
    if (!parsed.success) return { ok: false, ...sentencesOf(parsed.error) };
    const running = await app();
    try {
      return { ok: true, value: await act(running, parsed.data) };
    } catch (error) {
      unstable_rethrow(error);
      if (isDomainError(error)) return { ok: false, sentence: error.message, fields: {} };
      return { ok: false, sentence: sentenceForBug(running, error, newId('req')), fields: {} };
    }
  };
}

/** The form's fields by name; a name that stands more than once becomes a list. Next's own fields are left out. */
function formValues(form: FormData): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const name of new Set(form.keys())) {
    if (name.startsWith('$')) continue;
    const all = form.getAll(name);
    values[name] = all.length > 1 ? all : all[0];
  }
  return values;
}

function sentencesOf(error: z.ZodError): { sentence: string; fields: Record<string, string> } {
  const fields: Record<string, string> = {};
  for (const issue of error.issues) {
    const name = String(issue.path[0] ?? '');
    if (name && !fields[name]) fields[name] = issue.message;
  }
  return { sentence: Object.values(fields)[0] ?? error.issues[0]?.message ?? 'This form cannot be read.', fields };
}
