import { redirect } from 'next/navigation';
import { paths } from '../../lib/paths';
import { requireStaff } from '../_viewer';

export default async function Console() {
  await requireStaff('audit.read');
  redirect(paths.consoleAudit());
}
