import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';

export interface SmtpStandIn {
  url: string;
  /** Messages taken, as they came over the wire. */
  taken: { from: string; to: string[]; message: string }[];
  /** What is answered instead of 250; matched against the whole command line, or `DATA-END` for the message itself. */
  answer(pattern: RegExp, reply: string): void;
  close(): Promise<void>;
}

/** A mail server on a port of its own: RFC 5321 as far as one client sends one mail to one recipient. */
export async function anSmtpServer(): Promise<SmtpStandIn> {
  const taken: SmtpStandIn['taken'] = [];
  const answers: { pattern: RegExp; reply: string }[] = [];
  const server = createServer((socket) => {
    let rest = '';
    let message: string | null = null;
    let envelope = { from: '', to: [] as string[] };
    const say = (line: string) => socket.write(`${line}\r\n`);
    const unless = (command: string, otherwise: string, then?: () => void) => {
      const set = answers.find(({ pattern }) => pattern.test(command));
      if (!set) then?.();
      say(set?.reply ?? otherwise);
    };
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      rest += chunk.toString('utf8');
      for (;;) {
        const end = rest.indexOf('\r\n');
        if (end === -1) return;
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        if (message !== null) {
          if (line === '.') {
            const whole = message;
            message = null;
            unless('DATA-END', '250 queued', () => taken.push({ ...envelope, message: whole }));
          } else {
            message += `${line.startsWith('.') ? line.slice(1) : line}\r\n`;
          }
        } else if (/^EHLO /i.test(line)) {
          say('250-stand-in');
          say('250 8BITMIME');
        } else if (/^MAIL FROM:/i.test(line)) {
          unless(line, '250 ok', () => {
            envelope = { from: /<(.*?)>/.exec(line)?.[1] ?? '', to: [] };
          });
        } else if (/^RCPT TO:/i.test(line)) {
          unless(line, '250 ok', () => envelope.to.push(/<(.*?)>/.exec(line)?.[1] ?? ''));
        } else if (line === 'DATA') {
          say('354 go on');
          message = '';
        } else if (line === 'QUIT') {
          say('221 bye');
          socket.end();
        } else {
          say('250 ok');
        }
      }
    });
    say('220 stand-in ESMTP');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken,
    answer: (pattern, reply) => answers.unshift({ pattern, reply }),
    close: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}
