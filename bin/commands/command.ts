import type { ParseArgsConfig } from 'node:util';
import type { Env } from '../../lib/kit/env';
import { DomainError } from '../../lib/kit/errors';
import type { App } from '../../lib/ports/app';

/** Wrong words on the command line: exit 2, with the usage line. */
export class WrongUsage extends DomainError {
  constructor(message: string) {
    super('wrong-usage', message);
  }
}

export interface Invocation {
  /** What stands after the command's words and is no flag. */
  operands: string[];
  text(flag: string): string | null;
  texts(flag: string): string[];
  has(flag: string): boolean;
}

export interface Command {
  /** As typed: `product create`. */
  words: string;
  /** What follows the words, for the usage line. */
  usage: string;
  options?: ParseArgsConfig['options'];
  /** What `--json` prints. Whatever it throws that is no DomainError is a bug. */
  run(app: App, args: Invocation): Promise<Answer>;
}

export interface Answer {
  json: unknown;
  /** For people; several lines are fine. */
  text: string;
  /** 0 unless the command found something wrong that it was asked to look for. */
  exitCode?: number;
  /** Chunks written to stdout in place of both, with or without --json. */
  stream?: AsyncIterable<string | Buffer>;
}

/** The actor of everything done here. */
export const BY_CLI = { kind: 'cli' } as const;

export function operand(args: Invocation, index: number, name: string): string {
  const value = args.operands[index];
  if (value === undefined || value === '') throw new WrongUsage(`${name} is missing.`);
  return value;
}

export function required(args: Invocation, flag: string): string {
  const value = args.text(flag);
  if (value === null || value === '') throw new WrongUsage(`--${flag} is missing.`);
  return value;
}

export function wholeNumber(text: string, flag: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new WrongUsage(`--${flag} wants a whole number, not "${text}".`);
  return Number(text);
}

/** An instant: RFC 3339, a date (its first moment in UTC), or an age such as 24h or 30d. */
export function instant(text: string, flag: string, now: Date): Date {
  const [, amount, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (amount && unit) {
    const milliseconds = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit] ?? 0;
    return new Date(now.getTime() - Number(amount) * milliseconds);
  }
  const parsed = /^\d{4}-\d{2}-\d{2}/.test(text) ? new Date(text) : new Date(Number.NaN);
  if (Number.isNaN(parsed.getTime()))
    throw new WrongUsage(`--${flag} wants an instant such as 2026-11-01 or 24h, not "${text}".`);
  return parsed;
}

export type { App, Env };
