import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const css = readFileSync(join(import.meta.dirname, '../../app/globals.css'), 'utf8');

/** What `--name: light-dark(oklch(…), oklch(…))` says, as relative luminance (WCAG 2). */
function luminance(name: string, scheme: 'light' | 'dark'): number {
  const [, light, dark] =
    new RegExp(`--${name}: light-dark\\(oklch\\(([^)]+)\\), oklch\\(([^)]+)\\)\\)`).exec(css) ?? [];
  const text = scheme === 'light' ? light : dark;
  if (!text) throw new Error(`globals.css has no colour --${name} in both schemes`);
  const [L = 0, C = 0, h = 0] = text.split('/')[0]!.trim().split(/\s+/).map(Number);
  const a = C * Math.cos((h * Math.PI) / 180);
  const b = C * Math.sin((h * Math.PI) / 180);
  // https://bottosson.github.io/posts/oklab/
  const l = (L + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (L - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (L - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const inGamut = (value: number) => Math.min(1, Math.max(0, value));
  const red = inGamut(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s);
  const green = inGamut(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s);
  const blue = inGamut(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string, scheme: 'light' | 'dark'): number {
  const [bright = 0, dim = 0] = [luminance(one, scheme), luminance(other, scheme)].sort((x, y) => y - x);
  return (bright + 0.05) / (dim + 0.05);
}

const surfaces = ['ground', 'raised', 'sunken', 'hover'];
const meanings = ['good', 'notice', 'warning', 'ended'];

test.each(['light', 'dark'] as const)('text can be read on everything it stands on (%s)', (scheme) => {
  const pairs = [
    ...surfaces.flatMap((surface) => [
      ['ink', surface],
      ['ink-soft', surface],
    ]),
    ...meanings.flatMap((meaning) => [
      [meaning, 'ground'],
      [meaning, 'raised'],
      [meaning, `${meaning}-soft`],
      ['ink', `${meaning}-soft`],
    ]),
    ['on-brass', 'brass'],
    ['on-brass', 'brass-hover'],
    ['on-danger', 'danger'],
    ['on-danger', 'danger-hover'],
  ] as [string, string][];
  const hardToRead = pairs.filter(([text, surface]) => contrast(text, surface, scheme) < 4.5);
  expect(
    hardToRead.map(([text, surface]) => `${text} on ${surface}: ${contrast(text, surface, scheme).toFixed(2)}`),
  ).toEqual([]);
});

test.each(['light', 'dark'] as const)('the focus ring and the edges of fields stand out (%s)', (scheme) => {
  for (const edge of ['focus', 'line-strong']) {
    for (const surface of ['ground', 'raised', 'sunken']) {
      expect(contrast(edge, surface, scheme), `${edge} on ${surface}`).toBeGreaterThanOrEqual(3);
    }
  }
});
