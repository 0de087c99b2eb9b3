import { type ClassValue, clsx } from 'clsx';

// What sets one thing only, so that of two the later is meant. Names that set different things under one stem
// (`text-sm` and `text-ink`, `border-b` and `border-line`, `flex` and `flex-1`) are told apart below.
const settings =
  /^-?(h|w|size|min-h|min-w|max-h|max-w|p|px|py|pt|pr|pb|pl|m|mx|my|mt|mr|mb|ml|gap|gap-x|gap-y|bg|rounded|break|whitespace|leading|grid-cols|items|justify|animate|text|border|font)-(.+)$/;
const sizes = /^(xs|sm|base|lg|xl|\[.*)$/;
const alignments = /^(left|center|right|balance|pretty|wrap|nowrap)$/;
const edges = /^([trblxy]|\d|[trblxy]-.+|dashed|dotted|solid|collapse)$/;
const families = /^(sans|mono)$/;

function thingSet(name: string): string | null {
  const variants = name.slice(0, name.lastIndexOf(':') + 1);
  const [, stem, value = ''] = settings.exec(name.slice(variants.length)) ?? [];
  if (!stem || (stem === 'border' && edges.test(value))) return null;
  if (stem === 'text') return variants + (sizes.test(value) ? 'size' : alignments.test(value) ? 'alignment' : 'colour');
  if (stem === 'font') return variants + (families.test(value) ? 'family' : 'weight');
  return `${variants}${stem}-`;
}

/**
 * Class names joined; of two that set the same thing the later wins, so that a component's user has the last word.
 * The usual library for this weighs 9 KB in the browser, more than all of our components on a page.
 */
export function cn(...classes: ClassValue[]): string {
  const names = clsx(classes).split(/\s+/);
  const things = names.map(thingSet);
  return names
    .filter((_, place) => things[place] === null || things.lastIndexOf(things[place] ?? null) === place)
    .join(' ');
}
