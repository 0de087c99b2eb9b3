import { Badge } from './badge';
import type { Tone } from './notice';

const words = {
  good: { word: 'Good', tone: 'good' },
  lapsed: { word: 'Lapsed', tone: 'warning' },
  suspended: { word: 'Suspended', tone: 'notice' },
  refunded: { word: 'Refunded', tone: 'ended' },
  revoked: { word: 'Revoked', tone: 'ended' },
} as const satisfies Record<string, { word: string; tone: Tone }>;

/** A license's standing in its one word: the same in page, mail, terminal and API. */
export function StandingBadge({ standing }: { standing: keyof typeof words }) {
  const { word, tone } = words[standing];
  return (
    <Badge tone={tone} dot>
      {word}
    </Badge>
  );
}

/** A gate's answer in one word. */
export function VerdictBadge({ verdict }: { verdict: 'admitted' | 'refused' }) {
  return (
    <Badge tone={verdict === 'admitted' ? 'good' : 'ended'} dot>
      {verdict === 'admitted' ? 'Admitted' : 'Refused'}
    </Badge>
  );
}
