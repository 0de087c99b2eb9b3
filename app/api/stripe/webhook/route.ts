import { NOTICE_BYTES_MAX, receiveNotice } from '../../../../lib/billing/inbox';
import { errorMessage, isDomainError } from '../../../../lib/kit/errors';
import { theApp } from '../../../_app';

export const dynamic = 'force-dynamic';

/** 200 stored (or seen before), 400 not ours or unreadable, 503 while the database is away: Stripe then comes back. */
export async function POST(request: Request): Promise<Response> {
  const rawBody = await readAtMost(request, NOTICE_BYTES_MAX);
  if (!rawBody) return new Response('A notice is smaller than this.\n', { status: 400 });
  const app = await theApp();
  try {
    const outcome = await receiveNotice(app, rawBody, request.headers.get('stripe-signature') ?? '');
    return new Response(`${outcome}\n`);
  } catch (error) {
    if (isDomainError(error)) return new Response(`${error.message}\n`, { status: 400 });
    app.log.error(`A notice could not be stored: ${errorMessage(error)}`);
    return new Response('It could not be stored just now.\n', { status: 503, headers: { 'retry-after': '30' } });
  }
}

/** The signature covers the raw bytes, so they are read as they come; null where there are too many. */
async function readAtMost(request: Request, bytesMax: number): Promise<Buffer | null> {
  const chunks: Uint8Array[] = [];
  const reader = request.body?.getReader();
  for (let bytes = 0; ; ) {
    const { value, done } = (await reader?.read()) ?? { value: undefined, done: true };
    if (done || !value) return Buffer.concat(chunks);
    bytes += value.byteLength;
    if (bytes > bytesMax) {
      await reader?.cancel();
      return null;
    }
    chunks.push(value);
  }
}
