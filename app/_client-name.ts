/**
 * A user agent as people call it: `Composer 2.8, PHP 8.3`, `Composer 2.8, PHP 8.3, CI`, `Firefox 140`; the first
 * product it names where we know no better, and null where it says nothing.
 */
export function clientName(userAgent: string | null): string | null {
  if (!userAgent) return null;
  const composer = /^Composer\/(\d+(?:\.\d+)?)/.exec(userAgent);
  if (composer) {
    // Composer/2.8.4 (Linux; 6.1.0; PHP 8.3.6; cURL 8.5.0; Platform-PHP 8.1.0; CI)
    const php = /[ (]PHP (\d+\.\d+)/.exec(userAgent);
    const ci = /; CI\b/.test(userAgent);
    return [`Composer ${composer[1]}`, php && `PHP ${php[1]}`, ci && 'CI'].filter(Boolean).join(', ');
  }
  for (const [name, pattern] of BROWSERS) {
    const version = pattern.exec(userAgent)?.[1];
    if (version) return `${name} ${version}`;
  }
  const [, product, version] = /^([\w.-]+)(?:\/(\d+(?:\.\d+)?))?/.exec(userAgent) ?? [];
  return product ? [product, version].filter(Boolean).join(' ') : userAgent.slice(0, 40);
}

/** In this order: each browser also names those it descends from. */
const BROWSERS: [string, RegExp][] = [
  ['Edge', /Edg\/(\d+)/],
  ['Firefox', /Firefox\/(\d+)/],
  ['Chrome', /Chrome\/(\d+)/],
  ['Safari', /Version\/(\d+).*Safari\//],
];
