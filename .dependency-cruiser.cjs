/**
 * The import rules of ARCHITECTURE.md, as errors. Floors are listed from the ground up;
 * a floor may import itself where `selfContained` says so, and what its `may` names. Everything else is an error.
 */
const floors = [
  {
    name: 'kit',
    path: '^lib/kit/',
    may: ['^lib/kit/'],
    why: 'kit knows no domain: it is the ground everything stands on',
  },
  {
    name: 'paths',
    path: '^lib/paths\\.ts$',
    may: [],
    why: 'paths are plain functions, so that any page, mail or test can name a URL',
  },
  {
    name: 'ports',
    path: '^lib/ports/',
    may: ['^lib/kit/', '^lib/ports/', '^lib/db/'],
    why: 'ports are types shaped by our need; they know no adapter and no domain',
  },
  {
    name: 'db',
    path: '^lib/db/',
    may: ['^lib/kit/', '^lib/ports/', '^lib/db/'],
    why: 'the database layer knows rows and transactions, never what they mean',
  },
  {
    name: 'jobs',
    path: '^lib/jobs/',
    may: ['^lib/(kit|ports|db|jobs)/'],
    why: "a job is a row in the caller's transaction; the queue knows no domain",
  },
  {
    name: 'audit',
    path: '^lib/audit/',
    may: ['^lib/(kit|ports|db|audit)/', '^lib/paths\\.ts$'],
    why: 'every domain writes audit events, so audit may know none of them',
  },
  {
    name: 'mail',
    path: '^lib/mail/',
    may: ['^lib/(kit|ports|db|mail|jobs)/', '^lib/paths\\.ts$', '^emails/'],
    why: 'mail renders and delivers; who gets a mail and why is decided above it',
  },
  {
    name: 'catalog',
    path: '^lib/catalog/',
    may: ['^lib/(kit|ports|db|audit|jobs|mail|catalog)/', '^lib/paths\\.ts$'],
    why: 'what is sold must not depend on who bought it',
  },
  {
    name: 'identity',
    path: '^lib/identity/',
    may: ['^lib/(kit|ports|db|audit|jobs|mail|identity)/', '^lib/paths\\.ts$'],
    why: 'who someone is must not depend on what they bought',
  },
  {
    name: 'licenses',
    path: '^lib/licenses/',
    may: ['^lib/(kit|ports|db|audit|jobs|mail|catalog|identity|licenses)/', '^lib/paths\\.ts$'],
    why: 'a license knows products and customers; nothing cascades to credentials',
  },
  {
    name: 'credentials',
    path: '^lib/credentials/',
    may: ['^lib/(kit|ports|db|audit|jobs|mail|catalog|identity|licenses|credentials)/', '^lib/paths\\.ts$'],
    why: 'a credential opens licenses, so it stands one floor above them',
  },
  {
    name: 'http',
    path: '^lib/http/',
    may: ['^lib/(kit|ports|db|http)/', '^lib/identity/viewer\\.ts$', '^lib/paths\\.ts$'],
    why: 'http shapes answers; of the domains it may know only who is signed in',
  },
  {
    name: 'composer',
    path: '^lib/composer/',
    may: [
      '^lib/(kit|ports|db|audit|jobs|mail|catalog|identity|licenses|credentials|http|composer)/',
      '^lib/paths\\.ts$',
    ],
    why: 'the data plane must not know billing: an install never waits for money',
  },
  {
    name: 'billing',
    path: '^lib/billing/',
    may: [
      '^lib/(kit|ports|db|audit|jobs|mail|catalog|identity|licenses|credentials|http|billing)/',
      '^lib/paths\\.ts$',
    ],
    why: 'billing makes and ends licenses; it never answers Composer',
  },
  {
    name: 'worker',
    path: '^lib/worker/',
    may: ['^lib/(?!adapters/|wiring\\.ts$)'],
    why: 'the worker maps job names to handlers of any domain; adapters reach it through the App',
  },
  {
    name: 'adapters',
    path: '^lib/adapters/',
    may: ['^lib/(kit|ports|adapters)/'],
    why: 'an adapter knows its vendor and our port, so that it can be swapped without touching a domain',
  },
  {
    name: 'emails',
    path: '^emails/',
    may: ['^emails/'],
    why: 'a mail template is props in, markup out; it can be previewed without the product',
  },
];

const inOurTree = '^(lib|app|emails|bin|server\\.ts|middleware\\.ts)';

module.exports = {
  forbidden: [
    ...floors.map((floor) => ({
      name: `floor-${floor.name}`,
      comment: `${floor.why}.`,
      severity: 'error',
      from: { path: floor.path },
      to: { path: inOurTree, pathNot: floor.may },
    })),
    {
      name: 'no-circles',
      comment: 'A circle means two files are one thing with two names; split what they share.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'vendor-sdks-in-adapters',
      comment: 'Only adapters import a vendor SDK, so that a vendor is replaced in one file.',
      severity: 'error',
      from: { path: '^(lib|app|bin|server\\.ts|middleware\\.ts)', pathNot: '^lib/adapters/' },
      to: { path: 'node_modules/(stripe|resend|nodemailer|@aws-sdk)/' },
    },
    {
      name: 'next-at-the-border',
      comment: 'lib is the product and knows nothing of Next, except the five files that meet it.',
      severity: 'error',
      from: { path: '^(lib|emails|bin)/', pathNot: '^lib/(identity/auth|http/action|composer/mount-next)\\.tsx?$' },
      to: { path: 'node_modules/next(-auth)?/' },
    },
    {
      name: 'pages-ask-find',
      comment: 'Pages never touch Prisma or the pool: they ask a domain, which owns the query and its permissions.',
      severity: 'error',
      from: { path: '^app/' },
      to: { path: '(^lib/db/|node_modules/(@prisma|pg)/)' },
    },
    {
      name: 'adapters-only-in-wiring',
      comment: 'Only wiring knows every adapter; everything else sees a port.',
      severity: 'error',
      from: { path: '^(lib|app|bin|server\\.ts)', pathNot: '^lib/(adapters/|wiring\\.ts$)' },
      to: { path: '^lib/adapters/' },
    },
    {
      name: 'lib-knows-no-entry',
      comment: 'lib is called by entry points, never the other way round.',
      severity: 'error',
      from: { path: '^lib/' },
      to: { path: '^(app|bin|tests|server\\.ts|middleware\\.ts)' },
    },
    {
      name: 'product-knows-no-tests',
      comment: 'What only tests need stays in tests.',
      severity: 'error',
      from: { path: inOurTree },
      to: { path: '^tests/' },
    },
    {
      name: 'only-declared-dependencies',
      comment: 'An undeclared package works here by accident and fails on a fresh clone.',
      severity: 'error',
      from: { path: inOurTree },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(\\.next|dist|lib/db/generated)' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
