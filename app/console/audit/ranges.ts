import { DAY, HOUR } from '../../../lib/kit/clock';

export const RANGES = {
  '1h': { label: 'Last hour', ms: HOUR },
  '24h': { label: 'Last 24 hours', ms: DAY },
  '7d': { label: 'Last 7 days', ms: 7 * DAY },
  '30d': { label: 'Last 30 days', ms: 30 * DAY },
  '90d': { label: 'Last 90 days', ms: 90 * DAY },
  all: { label: 'All time', ms: null },
  custom: { label: 'Between two times', ms: null },
} as const;

export type Range = keyof typeof RANGES;
