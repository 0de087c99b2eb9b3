import { listFailedJobs } from '../../lib/worker/failed';
import type { Command } from './command';

export const jobCommands: Command[] = [
  {
    words: 'jobs run',
    usage: '',
    async run(app) {
      // Loaded here: the templates of the mails cost every other command a third of a second.
      const [{ runDueJobs }, { lookForDueWork }] = await Promise.all([
        import('../../lib/worker/run'),
        import('../../lib/worker/schedule'),
      ]);
      await lookForDueWork(app);
      const json = await runDueJobs(app);
      return { json, text: `${json.done} done, ${json.failed} failed and waiting for another try.` };
    },
  },
  {
    words: 'jobs list',
    usage: '--failed',
    options: { failed: { type: 'boolean' } },
    async run(app) {
      const jobs = await listFailedJobs(app);
      return {
        json: { jobs },
        text: jobs.map((job) => JSON.stringify(job)).join('\n') || 'No job has failed.',
      };
    },
  },
  {
    words: 'archive verify',
    usage: '',
    async run(app) {
      const releases = await app.db.release.findMany({
        select: { archiveSha256: true, version: true, package: { select: { name: true } } },
        orderBy: { id: 'asc' },
      });
      const damaged: { package: string; version: string; state: string }[] = [];
      for (const release of releases) {
        const state = await app.archive.verify(release.archiveSha256);
        if (state !== 'intact') damaged.push({ package: release.package.name, version: release.version, state });
      }
      return {
        json: { archives: releases.length, damaged },
        text:
          damaged.length === 0
            ? `All ${releases.length} archives are intact.`
            : damaged.map((each) => `${each.package} ${each.version}: ${each.state}`).join('\n'),
        exitCode: damaged.length === 0 ? 0 : 1,
      };
    },
  },
];
