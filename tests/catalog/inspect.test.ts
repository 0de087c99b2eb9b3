import { createHash } from 'node:crypto';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ArchiveFault, archiveLimits } from '../../lib/catalog/archive';
import { inspectArchive } from '../../lib/catalog/inspect';
import { isDomainError } from '../../lib/kit/errors';
import { aFileOf, aZip, aZipOf, headersIn, replacedIn, type ZipContents, type ZipEntry } from '../support/zips';

async function expectRefusal(
  file: string | Promise<string>,
  code: ArchiveFault,
  naming: RegExp,
  given?: { name?: string; version?: string },
): Promise<void> {
  const answer = await inspectArchive(await file, given).catch((error: unknown) => error);
  if (!isDomainError(answer)) throw new Error(`not refused: ${JSON.stringify(answer)} ${answer}`);
  expect({ code: answer.code, message: answer.message }).toEqual({ code, message: expect.stringMatching(naming) });
  expect(answer.message).toMatch(/^\P{Cc}+\.$/u);
}

test('an archive with composer.json at its top is read with its hashes and the metadata to serve', async () => {
  const file = await aZip({ name: 'acme/forms', version: 'v1.2' });
  const bytes = await readFile(file);
  expect(await inspectArchive(file)).toEqual({
    name: 'acme/forms',
    version: 'v1.2',
    versionNormalized: '1.2.0.0',
    stability: 'stable',
    sha1: createHash('sha1').update(bytes).digest('hex'),
    sha256: createHash('sha256').update(bytes).digest('hex'),
    archiveBytes: bytes.length,
    metadata: {
      name: 'acme/forms',
      version: 'v1.2',
      version_normalized: '1.2.0.0',
      type: 'library',
      description: 'Forms for shops',
      license: ['proprietary'],
      autoload: { 'psr-4': { 'Acme\\Forms\\': 'src/' } },
    },
  });
});

test('an archive with everything in one folder is read as if the folder were not there', async () => {
  const [flat, wrapped] = await Promise.all([aZip(), aZip({ topFolder: 'acme-forms-1.0.0' })]);
  expect((await inspectArchive(wrapped)).metadata).toEqual((await inspectArchive(flat)).metadata);
});

test('the publisher may give the name and version that composer.json leaves out', async () => {
  const file = await aZip({ version: null, composerJson: { name: undefined } });
  const inspected = await inspectArchive(file, { name: 'acme/forms', version: '2.0.0-beta1' });
  expect(inspected).toMatchObject({ name: 'acme/forms', versionNormalized: '2.0.0.0-beta1', stability: 'beta' });
});

test('a given version may be spelled differently from the one in composer.json, as long as it is the same', async () => {
  const inspected = await inspectArchive(await aZip({ version: '1.2' }), { version: 'v1.2.0' });
  expect(inspected).toMatchObject({ version: 'v1.2.0', versionNormalized: '1.2.0.0' });
});

test('what means nothing in a package, or must not be served, is left out of the metadata', async () => {
  const { metadata } = await inspectArchive(
    await aZip({
      composerJson: {
        repositories: [{ type: 'vcs', url: 'https://example.com' }],
        config: { 'secure-http': false },
        scripts: { 'post-install-cmd': 'rm -rf /' },
        'minimum-stability': 'dev',
        'autoload-dev': { 'psr-4': { 'Tests\\': 'tests/' } },
        source: { type: 'git', url: 'https://example.com/x.git', reference: 'main' },
        dist: { type: 'zip', url: 'https://example.com/x.zip' },
        version_normalized: '9999999-dev',
        abandoned: true,
      },
    }),
  );
  expect(Object.keys(metadata).sort()).toEqual(
    ['autoload', 'description', 'license', 'name', 'type', 'version', 'version_normalized'].sort(),
  );
});

test('every field that Composer uses of a package is served, and what it would drop with a warning is dropped', async () => {
  const { metadata } = await inspectArchive(
    await aZip({
      files: { 'bin/forms': '', 'lib/helpers.php': '', 'legacy/A.php': '', 'legacy/addons/x/B.php': '' },
      composerJson: {
        type: 'Magento2-Module',
        license: ['proprietary', 'MIT'],
        homepage: 'javascript:alert(1)',
        keywords: ['forms', 'shop <b>'],
        authors: [{ name: 'Ada', email: 'nobody', homepage: 'https://acme.test', role: 'author' }],
        require: { php: '>=8.1 <8.5', 'ext-json': '*', 'acme/base': '^1.0 || dev-main' },
        'require-dev': [],
        replace: { 'acme/forms-lite': 'self.version' },
        suggest: { 'acme/pay': 'to be paid' },
        autoload: {
          'psr-4': { 'Acme\\Forms\\': ['src/', './lib'], 'Acme\\': '' },
          classmap: ['/legacy/', 'legacy/addons/*/src'],
          files: ['lib/helpers.php'],
          'exclude-from-classmap': ['/Tests/'],
        },
        bin: '/bin/forms',
        extra: { 'branch-alias': { 'dev-main': '1.x-dev' }, magento: { deep: [1, null] } },
        support: {
          email: 'help@acme.test',
          docs: 'https://acme.test/docs',
          source: 'git@acme.test',
          irc: 'irc://acme.test/x',
        },
        funding: [{ type: 'custom', url: 'https://acme.test/pay' }],
      },
    }),
  );
  expect(metadata).toEqual({
    name: 'acme/forms',
    version: '1.0.0',
    version_normalized: '1.0.0.0',
    type: 'magento2-module',
    description: 'Forms for shops',
    license: ['proprietary', 'MIT'],
    keywords: ['forms'],
    authors: [{ name: 'Ada', homepage: 'https://acme.test', role: 'author' }],
    require: { php: '>=8.1 <8.5', 'ext-json': '*', 'acme/base': '^1.0 || dev-main' },
    replace: { 'acme/forms-lite': 'self.version' },
    suggest: { 'acme/pay': 'to be paid' },
    autoload: {
      'psr-4': { 'Acme\\Forms\\': ['src/', './lib'], 'Acme\\': '' },
      classmap: ['/legacy/', 'legacy/addons/*/src'],
      files: ['lib/helpers.php'],
      'exclude-from-classmap': ['/Tests/'],
    },
    bin: ['bin/forms'],
    extra: { 'branch-alias': { 'dev-main': '1.x-dev' }, magento: { deep: [1, null] } },
    support: { email: 'help@acme.test', docs: 'https://acme.test/docs', irc: 'irc://acme.test/x' },
    funding: [{ type: 'custom', url: 'https://acme.test/pay' }],
  });
});

describe('a bare WordPress plugin', () => {
  const header = [
    '<?php',
    '/**',
    ' * Plugin Name:       Acme Forms',
    ' * Plugin URI:        https://acme.test/forms',
    ' * Description:       Forms for shops.',
    ' * Version:           2.3.1',
    ' * Requires PHP:      7.4',
    ' * Author:            Acme Ltd */',
    ' * License:           GPL-2.0-or-later',
    ' */',
  ].join('\r\n');
  const aPlugin = (files: Record<string, string>) => aZip({ topFolder: 'acme-forms', composerJson: null, files });

  test('gets its metadata from the header of its main file', async () => {
    const inspected = await inspectArchive(
      await aPlugin({
        'a.php': '<?php // no header',
        'acme-forms.php': header,
        'inc/x.php': header.replace('2.3.1', '9'),
      }),
      { name: 'acme/forms' },
    );
    expect(inspected.metadata).toEqual({
      name: 'acme/forms',
      version: '2.3.1',
      version_normalized: '2.3.1.0',
      type: 'wordpress-plugin',
      description: 'Forms for shops.',
      license: ['GPL-2.0-or-later'],
      homepage: 'https://acme.test/forms',
      authors: [{ name: 'Acme Ltd' }],
      require: { php: '>=7.4' },
    });
  });

  test('may be a theme', async () => {
    const style = '/*\nTheme Name: Acme Shop\nVersion: 1.4\n*/\nbody { color: red; }';
    const inspected = await inspectArchive(await aPlugin({ 'style.css': style }), {
      name: 'acme/shop',
      version: '1.4.0',
    });
    expect(inspected.metadata).toEqual({
      name: 'acme/shop',
      version: '1.4.0',
      version_normalized: '1.4.0.0',
      type: 'wordpress-theme',
    });
  });

  test('needs a package name, and a version that its header does not contradict', async () => {
    const file = await aPlugin({ 'acme-forms.php': header });
    await expectRefusal(file, 'name-missing', /acme-forms\.php.*--name/);
    await expectRefusal(file, 'version-mismatch', /2\.3\.2.*2\.3\.1/, { name: 'acme/forms', version: '2.3.2' });
    const silent = aPlugin({ 'acme-forms.php': header.replace('Version:', 'Revision:') });
    await expectRefusal(silent, 'version-missing', /--version/, { name: 'acme/forms' });
  });

  test('is refused when nothing in its folder has a header', async () => {
    await expectRefusal(aPlugin({ 'forms.php': '<?php' }), 'composer-json-missing', /header/, { name: 'acme/forms' });
  });
});

describe('composer.json', () => {
  const deep = `{"name":"acme/forms","version":"1.0.0","extra":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}`;
  const cases: [what: string, contents: ZipContents, code: ArchiveFault, naming: RegExp][] = [
    ['that is broken', { composerJson: '{"name":' }, 'composer-json-unreadable', /composer\.json/],
    ['that is a list', { composerJson: '[]' }, 'composer-json-unreadable', /object/],
    ['that is text', { composerJson: '"acme"' }, 'composer-json-unreadable', /object/],
    ['that is too large', { composerJson: `{"a":"${'x'.repeat(1024 ** 2)}"}` }, 'composer-json-too-large', /1048576/],
    ['that is nested without end', { composerJson: deep }, 'composer-json-field', /"extra".*nested/],
    ['with a NUL in its text', { composerJson: { description: 'a\0b' } }, 'composer-json-field', /description/],
    ['with half a character', { composerJson: { extra: { a: '\ud800' } } }, 'composer-json-field', /extra/],
    ['without a name', { composerJson: { name: undefined } }, 'name-missing', /--name/],
    ['with an upper-case name', { name: 'Acme/Forms' }, 'name-invalid', /Acme\/Forms/],
    ['with a name that is a path', { name: '../forms' }, 'name-invalid', /\.\.\/forms/],
    ['with a number for a name', { composerJson: { name: 7 } }, 'name-invalid', /not text/],
    ['without a version', { version: null }, 'version-missing', /--version 1/],
    ['with a version of npm', { version: '1.0.0-1' }, 'version-invalid', /1\.0\.0-1/],
    ['with a version that is an alias', { version: 'dev-main as 1.0.x-dev' }, 'version-invalid', /dev-main as/],
    ['with a version that climbs', { version: 'dev-a/../../b' }, 'version-invalid', /dev-a/],
    ['with a number for a version', { composerJson: { version: 1 } }, 'version-invalid', /not text/],
    ['with a type that is a path', { composerJson: { type: '../x' } }, 'type-invalid', /\.\.\/x/],
    ['that requires itself', { composerJson: { require: { 'acme/forms': '*' } } }, 'link-invalid', /itself/],
    [
      'that requires no package name',
      { composerJson: { require: { forms: '*' } } },
      'link-invalid',
      /"forms" under require/,
    ],
    ['that requires an upper-case name', { composerJson: { 'require-dev': { 'A/b': '*' } } }, 'link-invalid', /A\/b/],
    ['with a constraint of npm', { composerJson: { require: { 'a/b': '^1.0.0-1' } } }, 'link-invalid', /\^1\.0\.0-1/],
    ['with an empty constraint', { composerJson: { conflict: { 'a/b': ' ' } } }, 'link-invalid', /a\/b/],
    ['with a number for a constraint', { composerJson: { replace: { 'a/b': 1 } } }, 'link-invalid', /a\/b/],
    ['with requirements as text', { composerJson: { require: 'php' } }, 'composer-json-field', /require/],
    [
      'that conflicts with what it replaces',
      { composerJson: { conflict: { 'a/b': '*' }, replace: { 'a/b': '*' } } },
      'link-invalid',
      /a\/b/,
    ],
    ['with a bin outside', { composerJson: { bin: ['../../bin/sh'] } }, 'bin-invalid', /bin\/sh/],
    ['with a bin on a drive', { composerJson: { bin: 'C:\\x.exe' } }, 'bin-invalid', /x\.exe/],
    ['of Composer 1', { composerJson: { 'target-dir': 'Acme/Forms' } }, 'composer-json-field', /target-dir/],
    ['with a list of descriptions', { composerJson: { description: ['a'] } }, 'composer-json-field', /description/],
    [
      'with aliases that are no text',
      { composerJson: { extra: { 'branch-alias': { 'dev-x': [1] } } } },
      'composer-json-field',
      /alias/,
    ],
    ['with authors as text', { composerJson: { authors: 'Ada' } }, 'composer-json-field', /authors/],
    ['that loads a folder that is not there', autoload({ 'psr-4': { 'A\\': 'lib/' } }), 'autoload-invalid', /"lib\/"/],
    ['that loads one missing folder of two', autoload({ 'psr-0': { A: ['src', 'lib'] } }), 'autoload-invalid', /"lib"/],
    ['that loads from outside', autoload({ 'psr-4': { 'A\\': '../other/src' } }), 'autoload-invalid', /\.\.\/other/],
    ['that loads by backslash', autoload({ classmap: ['src\\x'] }), 'autoload-invalid', /src/],
    ['that loads a missing wildcard', autoload({ classmap: ['lib/*/x'] }), 'autoload-invalid', /lib/],
    ['that loads a folder as a file', autoload({ files: ['src'] }), 'autoload-invalid', /"src"/],
    ['that loads by other case', autoload({ 'psr-4': { 'A\\': 'Src/' } }), 'autoload-invalid', /Src/],
    [
      'with a namespace without its end',
      autoload({ 'psr-4': { Acme: 'src/' } }),
      'autoload-invalid',
      /Acme.*backslash/,
    ],
    ['with an unknown autoloader', autoload({ 'psr-5': { A: 'src/' } }), 'autoload-invalid', /psr-5/],
  ];
  function autoload(value: unknown): ZipContents {
    return { composerJson: { autoload: value } };
  }

  test.each(cases)('%s is refused', async (_what, contents, code, naming) => {
    await expectRefusal(aZip(contents), code, naming);
    await expectRefusal(aZip({ ...contents, topFolder: 'acme-forms' }), code, naming);
  });

  test('must agree with the name and version that the publisher gives', async () => {
    const file = await aZip({ name: 'acme/forms', version: '1.0.0' });
    await expectRefusal(file, 'name-mismatch', /acme\/forms.*acme\/other/, { name: 'acme/other' });
    await expectRefusal(file, 'version-mismatch', /1\.0\.1.*1\.0\.0/, { version: '1.0.1' });
    await expectRefusal(file, 'version-invalid', /latest/, { version: 'latest' });
  });
});

describe('an archive', () => {
  const json: ZipEntry = { path: 'composer.json', content: '{"name":"acme/forms","version":"1.0.0"}' };
  const entry = (path: string): ZipEntry => ({ path, content: 'hello hello hello' });
  const spoiled = async (entries: ZipEntry[], spoil: (zip: Buffer) => Buffer | undefined) => {
    const zip = await readFile(await aZipOf(entries));
    return aFileOf(spoil(zip) ?? zip);
  };
  const renamed = (to: string) =>
    spoiled([json, entry('x'.repeat(to.length))], (zip) => replacedIn(zip, 'x'.repeat(to.length), to));
  const withMode = (mode: number) => aZipOf([json, { path: 'link', content: '/etc/passwd', mode }]);

  const cases: [what: string, make: () => Promise<string>, code: ArchiveFault, naming: RegExp][] = [
    ['that is text', () => aFileOf(Buffer.from('hello')), 'archive-not-a-zip', /zip/],
    ['that is empty as a file', () => aFileOf(Buffer.alloc(0)), 'archive-not-a-zip', /zip/],
    ['that is a tar', () => aFileOf(Buffer.alloc(10240, 'composer.json')), 'archive-not-a-zip', /zip/],
    ['without entries', () => aZipOf([]), 'archive-empty', /empty/],
    ['that is not there', async () => join(tmpdir(), 'latchkey-no-such-file.zip'), 'archive-missing', /no-such-file/],
    ['that is a folder', async () => tmpdir(), 'archive-missing', /no file/],
    ['that is cut off', () => spoiled([json, entry('a')], (zip) => zip.subarray(0, -30)), 'archive-damaged', /damaged/],
    [
      'with something behind its end',
      () => spoiled([json], (zip) => Buffer.concat([zip, Buffer.from('x')])),
      'archive-damaged',
      /damaged/,
    ],
    [
      'with a flipped bit in a stored file',
      () => spoiled([json, { ...entry('a'), isStored: true }], (zip) => replacedIn(zip, 'hello', 'hallo')),
      'archive-damaged',
      /"a".*checksum/,
    ],
    [
      'with a broken packed file',
      () =>
        spoiled([entry('a'), json], (zip) => {
          zip.fill(0xff, 31 + 1, 31 + 8);
          return zip;
        }),
      'archive-damaged',
      /"a"/,
    ],
    [
      'that says less than it unpacks to',
      () =>
        spoiled([entry('a'), json], (zip) => {
          zip.writeUInt32LE(3, headersIn(zip)[0]!.central + 24);
          return zip;
        }),
      'archive-damaged',
      /"a"/,
    ],
    [
      'with other names before its files than in its table of contents',
      () =>
        spoiled([json, entry('a')], (zip) => {
          zip.write('b', headersIn(zip)[1]!.local + 30);
          return zip;
        }),
      'archive-damaged',
      /"a"/,
    ],
    ['that climbs out', () => renamed('../evil.php'), 'entry-path', /\.\.\/evil\.php/],
    ['that climbs out in the middle', () => renamed('src/../../evil.php'), 'entry-path', /evil\.php/],
    ['with an absolute path', () => renamed('/etc/passwd'), 'entry-path', /"\/etc\/passwd".*absolute/],
    ['with a drive', () => renamed('C:/evil.php'), 'entry-path', /C:\/evil/],
    ['with a backslash', () => renamed('src\\evil.php'), 'entry-path', /backslash/],
    ['with an empty part', () => renamed('src//evil.php'), 'entry-path', /src\/\/evil/],
    ['with a dot for a part', () => renamed('./evil.php'), 'entry-path', /\.\/evil/],
    ['with a line break in a name', () => renamed('a\nb'), 'entry-name', /control/],
    ['with a NUL in a name', () => renamed('a.php\0.txt'), 'entry-name', /control/],
    ['with a name that is not UTF-8', () => renamed('caf\xe9.php'), 'entry-name', /UTF-8/],
    ['with a name too long', () => aZipOf([json, entry('x'.repeat(256))]), 'entry-path', /longer/],
    ['with a path too long', () => aZipOf([json, entry('long/'.repeat(220))]), 'entry-path', /longer/],
    ['with a symbolic link', () => withMode(0o120777), 'entry-special', /"link".*symbolic/],
    ['with a device', () => withMode(0o020666), 'entry-special', /"link"/],
    [
      'that is encrypted',
      () =>
        spoiled([json, entry('secret.php')], (zip) => {
          const { local, central } = headersIn(zip)[1]!;
          zip.writeUInt16LE(zip.readUInt16LE(local + 6) | 1, local + 6);
          zip.writeUInt16LE(zip.readUInt16LE(central + 8) | 1, central + 8);
          return zip;
        }),
      'entry-encrypted',
      /secret\.php/,
    ],
    [
      'that is strongly encrypted',
      () =>
        spoiled([json, entry('secret.php')], (zip) => {
          const { central } = headersIn(zip)[1]!;
          zip.writeUInt16LE(zip.readUInt16LE(central + 8) | 0x41, central + 8);
          return zip;
        }),
      'entry-encrypted',
      /encrypted/,
    ],
    [
      'packed by an unusual method',
      () =>
        spoiled([json, entry('a')], (zip) => {
          zip.writeUInt16LE(93, headersIn(zip)[1]!.central + 10);
          return zip;
        }),
      'entry-compression',
      /"a".*93/,
    ],
    [
      'with a file twice',
      () => spoiled([json, entry('ab'), entry('ac')], (zip) => replacedIn(zip, 'ac', 'ab')),
      'entry-duplicate',
      /"ab"/,
    ],
    [
      'with composer.json twice',
      () => spoiled([json, { ...json, path: 'composer.jsoN' }], (zip) => replacedIn(zip, 'jsoN', 'json')),
      'entry-duplicate',
      /composer\.json/,
    ],
    ['with a file that is a folder too', () => aZipOf([json, entry('a'), entry('a/b')]), 'entry-duplicate', /"a"/],
    [
      'with names that differ by case',
      () => aZipOf([json, entry('src/A.php'), entry('src/a.php')]),
      'entry-collision',
      /a\.php.*A\.php/,
    ],
    [
      'with folders that differ by case',
      () => aZipOf([json, entry('src/a.php'), entry('Src/b.php')]),
      'entry-collision',
      /b\.php/,
    ],
    [
      'with names that differ by accents',
      () => aZipOf([json, entry('\u00e9'), entry('e\u0301')]),
      'entry-collision',
      /one file/,
    ],
    [
      'with names that differ by a final dot',
      () => aZipOf([json, entry('a.php'), entry('a.php.')]),
      'entry-collision',
      /a\.php/,
    ],
    [
      'with two folders',
      () => aZipOf([{ ...json, path: 'forms/composer.json' }, entry('docs/x')]),
      'archive-layout',
      /"docs"/,
    ],
    [
      'with a file beside its folder',
      () => aZipOf([{ ...json, path: 'forms/composer.json' }, entry('.gitattributes')]),
      'archive-layout',
      /\.gitattributes/,
    ],
    [
      'with what macOS adds',
      () => aZipOf([{ ...json, path: 'forms/composer.json' }, entry('__MACOSX/forms/._composer.json')]),
      'archive-layout',
      /__MACOSX/,
    ],
    ['with a single file', () => aZipOf([entry('plugin.php')]), 'archive-layout', /plugin\.php/],
    ['with only src/', () => aZipOf([entry('src/a.php')]), 'composer-json-missing', /composer\.json/],
    [
      'with composer.json too deep',
      () => aZipOf([{ ...json, path: 'a/b/composer.json' }]),
      'composer-json-missing',
      /"a\/b\/composer\.json"/,
    ],
    [
      'that is a bomb',
      () => aZipOf([json, { path: 'zeros', content: Buffer.alloc(60 * 1024 ** 2) }]),
      'archive-bomb',
      /100 to 1/,
    ],
    [
      'that says it unpacks to more than fits',
      () =>
        spoiled([json, entry('a'), entry('b')], (zip) => {
          for (const { central } of headersIn(zip).slice(1)) zip.writeUInt32LE(0xfffffffe, central + 24);
          return zip;
        }),
      'archive-bomb',
      /at most/,
    ],
    [
      'whose entries share their bytes',
      () =>
        spoiled([json, entry('a'), entry('b')], (zip) => {
          const [, first, second] = headersIn(zip);
          zip.writeUInt32LE(first!.local, second!.central + 42);
          return zip;
        }),
      'entry-overlap',
      /shares its bytes/,
    ],
    [
      'with too many entries',
      () =>
        spoiled([json], (zip) => {
          zip.writeUInt16LE(archiveLimits.entriesMax + 1, zip.lastIndexOf('PK\x05\x06', undefined, 'latin1') + 10);
          return zip;
        }),
      'archive-too-large',
      /50001/,
    ],
    [
      'with too many folders',
      () => aZipOf(Array.from({ length: 500 }, (_, i) => ({ path: `${i}${'/a'.repeat(300)}` }))),
      'archive-too-large',
      /folders/,
    ],
  ];
  test.each(cases)('%s is refused', async (_what, make, code, naming) => {
    await expectRefusal(make(), code, naming, { name: 'acme/forms', version: '1.0.0' });
  });

  test('of more bytes than are accepted is refused unread', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'latchkey-inspect-'));
    const file = join(folder, 'large.zip');
    const handle = await open(file, 'w');
    await handle.truncate(archiveLimits.archiveBytesMax + 1);
    await handle.close();
    await expectRefusal(file, 'archive-too-large', /at most 1073741824/).finally(() => rm(folder, { recursive: true }));
  });

  test('may have folders as entries, even twice, and names beyond ASCII', async () => {
    const file = await spoiled([json, { path: 'src/' }, { path: 'srx/' }, entry('src/über.php')], (zip) =>
      replacedIn(zip, 'srx/', 'src/'),
    );
    expect((await inspectArchive(file)).name).toBe('acme/forms');
  });

  // yauzl parses in callbacks, where an exception would end the process and with it everyone's installs.
  test('spoiled at any place is either read or refused with a sentence, never anything else', async () => {
    const zip = await readFile(await aZip({ topFolder: 'forms', files: { 'a.txt': 'hello'.repeat(50) } }));
    const spoils = fc.array(fc.tuple(fc.nat({ max: zip.length - 1 }), fc.nat({ max: 255 })), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(spoils, fc.nat({ max: zip.length }), fc.boolean(), async (changes, length, isCut) => {
        const bad = Buffer.from(isCut ? zip.subarray(0, length) : zip);
        for (const [at, value] of changes) if (at < bad.length) bad[at] = value;
        const answer = await inspectArchive(await aFileOf(bad)).catch((error: unknown) => error);
        if (!isDomainError(answer)) expect(answer).toMatchObject({ name: 'acme/forms', archiveBytes: bad.length });
      }),
      { numRuns: 400 },
    );
  });
});
