'use client';

import { useCallback, useEffect, useRef, useState } from 'react';

/**
 * The mail's HTML in a frame of its own: no script runs in it, and a click on a link leaves for the whole window. It
 * counts as same-origin only so that its height can be read from out here.
 */
export function MailFrame({ html, title }: { html: string; title: string }) {
  const frame = useRef<HTMLIFrameElement>(null);
  const [height, setHeight] = useState(640);

  const measure = useCallback(() => {
    const root = frame.current?.contentDocument?.documentElement;
    if (root && root.scrollHeight > 0) setHeight(root.scrollHeight);
  }, []);
  // The frame may have loaded before this script did.
  useEffect(measure, [measure]);

  return (
    <div className="overflow-hidden rounded border">
      <iframe
        ref={frame}
        title={title}
        onLoad={measure}
        sandbox="allow-same-origin allow-top-navigation-by-user-activation"
        // A mail asks for a new window, which a sandboxed frame may not open.
        srcDoc={html.replaceAll(' target="_blank"', '').replace(/<head[^>]*>/i, '$&<base target="_top">')}
        style={{ height }}
        className="block w-full"
      />
    </div>
  );
}
