import { absolute, paths } from '../paths';
import type { ComposerAnswer } from './answer';
import { jsonDocument } from './documents';
import type { Holder } from './gate';
import { asked, attemptOf, type ComposerRequest, eventOf, json, type Plane } from './request';

/** `list.json`: names for completion and wildcards (composer-protocol 2.2). */
export function listed(request: ComposerRequest, holder: Holder): ComposerAnswer {
  const query = new URLSearchParams(request.query);
  const vendor = query.get('vendor');
  const filter = wildcard(query.get('filter'));
  const packageNames = visible(holder).filter(
    (name) => (!vendor || name.startsWith(`${vendor}/`)) && (!filter || filter(name)),
  );
  return json(request, jsonDocument({ packageNames }), {}, [eventOf(request, attemptOf(request), asked(holder))]);
}

/** `search.json`: the covered packages whose name or description holds the words. */
export async function searched(plane: Plane, request: ComposerRequest, holder: Holder): Promise<ComposerAnswer> {
  const query = new URLSearchParams(request.query);
  const wanted = (query.get('q') ?? '').toLowerCase();
  const type = query.get('type');
  const results: { name: string; description: string; url: string }[] = [];
  for (const name of visible(holder)) {
    const verdict = holder.verdict(name);
    const shelved = verdict.kind === 'covered' ? await plane.shelf.shelved(verdict.package) : null;
    const newest = shelved?.newestFirst[0]?.metadata;
    const description = typeof newest?.description === 'string' ? newest.description : '';
    if (type && newest?.type !== type) continue;
    if (!name.includes(wanted) && !description.toLowerCase().includes(wanted)) continue;
    results.push({ name, description, url: absolute(plane.appUrl, paths.dashboard()) });
  }
  return json(request, jsonDocument({ results, total: results.length }), {}, [
    eventOf(request, attemptOf(request), asked(holder)),
  ]);
}

/** Names that this credential may install now; what search and completion may show. */
function visible(holder: Holder): string[] {
  const names = new Set(holder.record.licenses.flatMap((license) => [...license.packages.keys()]));
  return [...names].filter((name) => holder.verdict(name).kind === 'covered').sort();
}

/** Composer's `*` in a list filter, any case. */
function wildcard(pattern: string | null): ((name: string) => boolean) | null {
  if (!pattern) return null;
  const parts = pattern.toLowerCase().split('*');
  return (name) => {
    let from = 0;
    for (const [index, each] of parts.entries()) {
      const at = index === 0 ? (name.startsWith(each) ? 0 : -1) : name.indexOf(each, from);
      if (at < 0) return false;
      from = at + each.length;
    }
    const last = parts.at(-1) ?? '';
    return parts.length > 1 ? name.endsWith(last) : name === pattern.toLowerCase();
  };
}
