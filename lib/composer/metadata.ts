import { type PackageName, parsePackageName } from '../catalog/names';
import { absolute, paths } from '../paths';
import { acceptsGzip, type ComposerAnswer, notModified, type SettledDocument, settledDocument } from './answer';
import { type Claims, emptyDocument, type ShelvedPackage } from './documents';
import { freshness } from './freshness';
import type { Holder } from './gate';
import { away, notFound, printable, sentenceFor } from './refusal';
import { type Attempt, asked, type ComposerRequest, eventOf, json, type Plane, refuse } from './request';
import { coverageSignature, later, type PackageVerdict, type Reason } from './verdict';

/** `packages.json`: the same for everybody, but nobody's without a credential. */
export function rootAnswer(plane: Plane, request: ComposerRequest, holder: Holder, claims: Claims): ComposerAnswer {
  const events = [eventOf(request, { action: 'repository.read', package: null, version: null }, asked(holder))];
  if (!claims.changedAt) return json(request, claims.document, {}, events);
  const { lastModified, settled } = freshness(claims.changedAt, 'all', plane.clock.now());
  if (settled && request.ifModifiedSince === lastModified) return notModified(lastModified, events);
  return json(request, claims.document, { 'Last-Modified': lastModified }, events);
}

/** `p2/{vendor}/{name}.json`, or with `dev` the document beside it: what this credential may see of one package. */
export function metadataAnswer(
  plane: Plane,
  request: ComposerRequest,
  holder: Holder,
  rawName: string,
  dev: boolean,
): ComposerAnswer | Promise<ComposerAnswer> {
  const name = parsePackageName(rawName);
  const attempt: Attempt = { action: 'metadata.read', package: rawName, version: null };
  if (!name) return refuse(plane, request, attempt, notFound('unknown-path', rawName), asked(holder));
  const verdict = holder.verdict(name);
  if (verdict.kind !== 'covered') return withheld(plane, request, holder, attempt, name, verdict);
  const shelved = plane.shelf.shelved(verdict.package);
  if (shelved instanceof Promise) {
    return shelved.then((loaded) =>
      loaded
        ? covered(plane, request, holder, attempt, verdict, loaded, dev)
        : refuse(plane, request, attempt, away('database-away'), asked(holder)),
    );
  }
  return covered(plane, request, holder, attempt, verdict, shelved, dev);
}

function covered(
  plane: Plane,
  request: ComposerRequest,
  holder: Holder,
  attempt: Attempt,
  verdict: PackageVerdict & { kind: 'covered' },
  shelved: ShelvedPackage,
  dev: boolean,
): ComposerAnswer {
  const signature = coverageSignature(verdict.entitlements);
  const changedAt = later(shelved.package.changedAt, verdict.changedAt);
  const { lastModified, settled } = freshness(changedAt, signature, plane.clock.now());
  const document = plane.shelf.document(shelved, verdict.entitlements, signature, dev);
  const licenseId = verdict.entitlements[0]?.licenseId ?? null;
  const told = eventOf(request, attempt, { ...asked(holder), licenseId });
  if (!settled) return json(request, document, { 'Last-Modified': lastModified }, [told]);
  const answers = settledDocument(request, document, lastModified, plane.journal.prepare(told));
  holder.settled.set(request.path, answers);
  return chosen(request, answers);
}

/** Of the settled answers to one document, the one that this request wants. */
export function chosen(request: ComposerRequest, answers: SettledDocument): ComposerAnswer {
  if (request.ifModifiedSince === answers.lastModified) return answers.unchanged;
  return acceptsGzip(request.acceptEncoding) ? answers.gzip : answers.plain;
}

/** A name of ours that this credential may not see: claimed, so that no other repository can slip in under it. */
async function withheld(
  plane: Plane,
  request: ComposerRequest,
  holder: Holder,
  attempt: Attempt,
  name: PackageName,
  verdict: PackageVerdict & { kind: 'ended' | 'not-covered' },
): Promise<ComposerAnswer> {
  const sold = await plane.shelf.isSold(name);
  if (sold === 'away') return refuse(plane, request, attempt, away('database-away'), asked(holder));
  if (sold === null) return refuse(plane, request, attempt, notFound('unknown-package', name), asked(holder));
  const ended = verdict.kind === 'ended' ? verdict : null;
  const reason: Reason = ended?.reason ?? 'not-covered';
  const changedAt = ended ? later(ended.changedAt, sold.changedAt) : sold.changedAt;
  const sentence = printable(sentenceFor(reason, ended?.since ?? null, name));
  const where = ended ? paths.dashboard() : paths.home();
  // It moves like any other document's, but is never answered 304: a 304 would not show the sentence again.
  const { lastModified } = freshness(changedAt, `withheld ${reason}`, plane.clock.now());
  return json(
    request,
    emptyDocument(name, `${sentence} ${absolute(plane.appUrl, where)}`),
    { 'Last-Modified': lastModified },
    [eventOf(request, attempt, { ...asked(holder), verdict: 'refused', reason, licenseId: ended?.license.id ?? null })],
  );
}
