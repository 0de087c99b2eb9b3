import { makeTemplate } from './database';

/** One PostgreSQL for the whole run: the one named by LATCHKEY_TEST_POSTGRES, else an embedded one. */
export default async function setup(): Promise<() => Promise<void>> {
  await makeTemplate();
  return async () => undefined;
}
