import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';

export type ZipContents = {
  name?: string;
  /** Null leaves it out of composer.json. */
  version?: string | null;
  /** Added to `src/Forms.php`, which is always there; paths are relative to the package. */
  files?: Record<string, string | Buffer>;
  /** The one folder that everything stands in; without it composer.json is at the top. */
  topFolder?: string;
  /** Fields to put over the default ones (undefined removes one); text is taken as it is; null means no such file. */
  composerJson?: Record<string, unknown> | string | null;
};

export type ZipEntry = { path: string; content?: string | Buffer; mode?: number; isStored?: boolean };

let folder: string | undefined;
let written = 0;

/** A package's zip, byte for byte the same for the same contents; its path. The file goes when the tests end. */
export async function aZip(contents: ZipContents = {}): Promise<string> {
  const { name = 'acme/forms', version = '1.0.0', files = {}, topFolder, composerJson = {} } = contents;
  const prefix = topFolder === undefined ? '' : `${topFolder}/`;
  const entries: ZipEntry[] = [];
  if (composerJson !== null) {
    const fields = {
      name,
      ...(version === null ? {} : { version }),
      description: 'Forms for shops',
      license: 'proprietary',
      autoload: { 'psr-4': { 'Acme\\Forms\\': 'src/' } },
    };
    const text =
      typeof composerJson === 'string' ? composerJson : JSON.stringify({ ...fields, ...composerJson }, null, 2);
    entries.push({ path: `${prefix}composer.json`, content: text });
  }
  const source = '<?php\n\nnamespace Acme\\Forms;\n\nfinal class Forms\n{\n}\n';
  for (const [path, content] of Object.entries({ 'src/Forms.php': source, ...files })) {
    entries.push({ path: prefix + path, content });
  }
  return aZipOf(entries);
}

/** A zip of exactly these entries, in this order; a path that ends in a slash makes a folder. */
export async function aZipOf(entries: ZipEntry[]): Promise<string> {
  const zip = new ZipFile();
  const mtime = new Date(2026, 0, 15);
  for (const { path, content = '', mode, isStored = false } of entries) {
    if (path.endsWith('/')) zip.addEmptyDirectory(path, { mtime });
    else
      zip.addBuffer(Buffer.from(content), path, {
        mtime,
        compress: !isStored,
        ...(mode === undefined ? {} : { mode }),
      });
  }
  zip.end();
  return aFileOf(await buffer(zip.outputStream));
}

export async function aFileOf(bytes: Buffer): Promise<string> {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'latchkey-zips-'));
    process.once('exit', () => rmSync(made, { recursive: true, force: true }));
    folder = made;
  }
  const file = join(folder, `${++written}.zip`);
  await writeFile(file, bytes);
  return file;
}

/** Where the headers of each entry begin, to spoil what no tool would write. */
export function headersIn(zip: Buffer): { local: number; central: number }[] {
  const end = zip.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  let central = zip.readUInt32LE(end + 16);
  const headers: { local: number; central: number }[] = [];
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    headers.push({ local: zip.readUInt32LE(central + 42), central });
    central += 46 + zip.readUInt16LE(central + 28) + zip.readUInt16LE(central + 30) + zip.readUInt16LE(central + 32);
  }
  return headers;
}

/** The zip with one text in it put in place of another of the same length, in names as well as in stored bytes. */
export function replacedIn(zip: Buffer, text: string, by: string): Buffer {
  if (text.length !== by.length) throw new Error('the two must be of one length');
  return Buffer.from(zip.toString('latin1').replaceAll(text, by), 'latin1');
}
