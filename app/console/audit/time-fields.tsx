'use client';

import { useState } from 'react';
import { Input, Select } from '../../_ui/input';
import { Labelled } from './labelled';
import { RANGES, type Range } from './ranges';

/** A span that ends now, or two instants in UTC; the fields for those are there only where they count. */
export function TimeFields({ range, since, until }: { range: Range; since: Date | null; until: Date | null }) {
  const [chosen, setChosen] = useState<string>(range);
  return (
    <>
      <Labelled label="Time">
        <Select name="range" value={chosen} onChange={(event) => setChosen(event.currentTarget.value)}>
          {Object.entries(RANGES).map(([value, { label }]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </Select>
      </Labelled>
      {chosen === 'custom' && (
        <>
          <Labelled label="From, UTC" className="col-span-2 sm:col-span-1">
            <Input type="datetime-local" name="since" defaultValue={fieldValue(since)} />
          </Labelled>
          <Labelled label="Until, UTC" className="col-span-2 sm:col-span-1">
            <Input type="datetime-local" name="until" defaultValue={fieldValue(until)} />
          </Labelled>
        </>
      )}
    </>
  );
}

/** The form of a browser's date field, which knows no zone; it stands for UTC here. */
function fieldValue(at: Date | null): string {
  return at ? at.toISOString().slice(0, 16) : '';
}
