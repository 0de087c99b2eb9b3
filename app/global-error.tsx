'use client';

import Failure from './error';
import './globals.css';

/** Stands in for the whole document when even its frame could not be made. */
export default function GlobalFailure(failure: { error: unknown; retry: () => void }) {
  return (
    <html lang="en">
      <body>
        <title>This page could not be made</title>
        <Failure {...failure} />
      </body>
    </html>
  );
}
