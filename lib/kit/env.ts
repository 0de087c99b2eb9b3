import { resolve } from 'node:path';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { DomainError } from './errors';
import { Secret } from './secret';

/** What the environment says, parsed once; the words are those of `.env.example`. */
export interface Env {
  mode: 'demo' | 'production';
  role: 'all' | 'web' | 'gate' | 'worker';
  host: string;
  port: number;
  /** Without a trailing slash. */
  appUrl: string;
  /** Absolute. */
  dataFolder: string;
  /** Null in demo mode until the one under the data folder is read or made. */
  appKey: Buffer | null;
  olderAppKeys: Buffer[];
  gateWorkers: number;
  nodeName: string;
  databaseUrl: string | null;
  databaseReplicaUrls: string[];
  stripe: { secretKey: Secret | null; webhookSecret: Secret | null; apiBase: string | null };
  mail: { resendKey: Secret | null; smtpUrl: Secret | null; from: string };
  archiveUrl: string;
  trustedProxies: string[];
  egressAllow: string[];
  snapshotMaxAgeMs: number;
  /** Per credential; 0 means no limit. */
  credentialRequestsPerMinute: number;
  metricsToken: Secret | null;
  loadDemo: boolean;
  logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

export class EnvironmentRefused extends DomainError {
  constructor(sentence: string) {
    super('environment-refused', sentence);
  }
}

const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

const text = z.string().trim();
const key = text.transform((value, context) => {
  const bytes = Buffer.from(value, 'base64');
  if (bytes.length !== 32) context.addIssue({ code: 'custom', message: 'must be 32 bytes in base64' });
  return bytes;
});
const list = text.transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);
const cidrs = list.superRefine((items, context) => {
  for (const item of items) {
    if (!isCidr(item))
      context.addIssue({ code: 'custom', message: `has "${item}", which is no address or CIDR range` });
  }
});
const duration = text.transform((value, context) => {
  const [, amount, unit] = /^(\d+)([smhd])$/.exec(value) ?? [];
  if (!amount || !unit) {
    context.addIssue({ code: 'custom', message: 'must be a number with a unit, such as 24h' });
    return 0;
  }
  return Number(amount) * UNITS_MS[unit as keyof typeof UNITS_MS];
});
const secret = text.transform((value) => new Secret(value));

const schema = z.object({
  LATCHKEY_MODE: z.enum(['demo', 'production']).optional(),
  LATCHKEY_ROLE: z.enum(['all', 'web', 'gate', 'worker']).default('all'),
  HOST: text.optional(),
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  APP_URL: z.url({ protocol: /^https?$/ }).optional(),
  LATCHKEY_DATA: text.default('./.data'),
  APP_KEY: key.optional(),
  APP_KEYS_OLD: list.optional(),
  GATE_WORKERS: z.coerce.number().int().min(1).max(64).default(1),
  NODE_NAME: text.regex(/^[\w.-]{1,64}$/, 'must be up to 64 letters, digits, dots, dashes').default('main'),
  DATABASE_URL: text.regex(/^postgres(ql)?:\/\//, 'must begin with postgresql://').optional(),
  DATABASE_REPLICA_URLS: list.default([]),
  STRIPE_SECRET_KEY: secret.optional(),
  STRIPE_WEBHOOK_SECRET: secret.optional(),
  STRIPE_API_BASE: z.url({ protocol: /^https?$/ }).optional(),
  RESEND_API_KEY: secret.optional(),
  SMTP_URL: secret.optional(),
  MAIL_FROM: text.default('Latchkey <licenses@localhost>'),
  ARCHIVE_URL: text.regex(/^(file:|s3:\/\/)/, 'must begin with file: or s3://').default('file:'),
  TRUSTED_PROXIES: cidrs.default([]),
  EGRESS_ALLOW: cidrs.default([]),
  SNAPSHOT_MAX_AGE: duration.default(24 * UNITS_MS.h),
  CREDENTIAL_REQUESTS_PER_MINUTE: z.coerce.number().int().min(0).default(6_000),
  METRICS_TOKEN: secret.optional(),
  LATCHKEY_DEMO: z.enum(['0', '1']).optional(),
  LATCHKEY_LOG: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

/**
 * Reads the environment once, at start.
 *
 * @throws {EnvironmentRefused} with one sentence that names every variable that is wrong; nothing was started then.
 */
export function readEnv(source: Record<string, string | undefined>): Env {
  const present = Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = schema.safeParse(present);
  if (!parsed.success) {
    const wrong = parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`);
    throw new EnvironmentRefused(`The environment cannot be used: ${wrong.join('; ')}.`);
  }
  const it = parsed.data;
  const mode = it.LATCHKEY_MODE ?? (it.DATABASE_URL ? 'production' : 'demo');
  if (mode === 'production' && !it.DATABASE_URL) {
    throw new EnvironmentRefused('Production mode needs DATABASE_URL; the embedded database is for trying things out.');
  }
  if (mode === 'production' && !it.APP_KEY) {
    throw new EnvironmentRefused(
      'Production mode needs APP_KEY: 32 random bytes in base64, kept outside the database.',
    );
  }
  if (it.STRIPE_SECRET_KEY && !it.STRIPE_WEBHOOK_SECRET) {
    throw new EnvironmentRefused(
      'STRIPE_SECRET_KEY is set but STRIPE_WEBHOOK_SECRET is not; without it no notice of Stripe could be trusted.',
    );
  }
  if (mode === 'production' && !it.STRIPE_SECRET_KEY && it.LATCHKEY_ROLE !== 'gate') {
    throw new EnvironmentRefused(
      'Production mode needs STRIPE_SECRET_KEY; the pretend checkout sells only in demo mode.',
    );
  }
  if (mode === 'production' && !it.RESEND_API_KEY && !it.SMTP_URL && it.LATCHKEY_ROLE !== 'gate') {
    throw new EnvironmentRefused(
      'Production mode needs RESEND_API_KEY or SMTP_URL; the outbox delivers only in demo mode.',
    );
  }
  const olderAppKeys = (it.APP_KEYS_OLD ?? []).map((value) => {
    const parsedKey = key.safeParse(value);
    if (!parsedKey.success) throw new EnvironmentRefused('APP_KEYS_OLD has an entry that is not 32 bytes in base64.');
    return parsedKey.data;
  });
  return {
    mode,
    role: it.LATCHKEY_ROLE,
    host: it.HOST ?? (mode === 'demo' ? '127.0.0.1' : '0.0.0.0'),
    port: it.PORT,
    appUrl: (it.APP_URL ?? `http://localhost:${it.PORT}`).replace(/\/+$/, ''),
    dataFolder: resolve(it.LATCHKEY_DATA),
    appKey: it.APP_KEY ?? null,
    olderAppKeys,
    gateWorkers: it.GATE_WORKERS,
    nodeName: it.NODE_NAME,
    databaseUrl: it.DATABASE_URL ?? null,
    databaseReplicaUrls: it.DATABASE_REPLICA_URLS,
    stripe: {
      secretKey: it.STRIPE_SECRET_KEY ?? null,
      webhookSecret: it.STRIPE_WEBHOOK_SECRET ?? null,
      apiBase: it.STRIPE_API_BASE ?? null,
    },
    mail: { resendKey: it.RESEND_API_KEY ?? null, smtpUrl: it.SMTP_URL ?? null, from: it.MAIL_FROM },
    archiveUrl: it.ARCHIVE_URL,
    trustedProxies: it.TRUSTED_PROXIES,
    egressAllow: it.EGRESS_ALLOW,
    snapshotMaxAgeMs: it.SNAPSHOT_MAX_AGE,
    credentialRequestsPerMinute: it.CREDENTIAL_REQUESTS_PER_MINUTE,
    metricsToken: it.METRICS_TOKEN ?? null,
    loadDemo: it.LATCHKEY_DEMO ? it.LATCHKEY_DEMO === '1' : mode === 'demo',
    logLevel: it.LATCHKEY_LOG,
  };
}

/** An address, or an address with a prefix length. */
export function isCidr(value: string): boolean {
  return ipaddr.isValid(value) || ipaddr.isValidCIDR(value);
}
