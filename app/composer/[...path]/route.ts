import type { NextRequest } from 'next/server';
import { mountNext } from '../../../lib/composer/mount-next';
import { running } from '../../../lib/wiring';

export const dynamic = 'force-dynamic';

/** The data plane where there is no front door; behind `server.ts` no request comes this far. */
async function answer(request: NextRequest): Promise<Response> {
  const { app, composer } = await running();
  return mountNext(composer, { appUrl: app.env.appUrl, trustedProxies: app.env.trustedProxies })(request);
}

export {
  answer as DELETE,
  answer as GET,
  answer as HEAD,
  answer as OPTIONS,
  answer as PATCH,
  answer as POST,
  answer as PUT,
};
