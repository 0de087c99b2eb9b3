import type { NextRequest } from 'next/server';
import { answerAuth } from '../../../../lib/identity/auth';
import { theApp } from '../../../_app';
import { visitor } from '../../../_visitor';

async function handle(request: NextRequest, context: { params: Promise<{ nextauth: string[] }> }): Promise<Response> {
  return answerAuth(await theApp(), request, context, await visitor());
}

export { handle as GET, handle as POST };
