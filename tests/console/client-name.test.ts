import { expect, test } from 'vitest';
import { clientName } from '../../app/_client-name';

test('a user agent is named as people call it', () => {
  const names: [string | null, string | null][] = [
    ['Composer/2.8.4 (Linux; 6.1.0; PHP 8.3.6; cURL 8.5.0)', 'Composer 2.8, PHP 8.3'],
    ['Composer/2.10.1 (Windows NT; 10.0; PHP 8.4.1; cURL 8.5.0; Platform-PHP 8.1.0; CI)', 'Composer 2.10, PHP 8.4, CI'],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox 140'],
    ['Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36', 'Chrome 141'],
    ['curl/8.5.0', 'curl 8.5'],
    ['<script>', '<script>'],
    ['', null],
    [null, null],
  ];
  for (const [userAgent, name] of names) expect(clientName(userAgent)).toBe(name);
});
