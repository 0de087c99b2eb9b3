import { type DemoModule, json, source } from './module';

const composerJson = (php: string) =>
  json({
    name: 'acme/laravel-invoices',
    description: 'Numbered invoices and credit notes with tax, for Laravel',
    type: 'library',
    license: 'proprietary',
    keywords: ['laravel', 'invoices', 'tax'],
    homepage: 'https://acme.example/laravel-invoices',
    authors: [{ name: 'Acme', email: 'support@acme.example' }],
    support: { email: 'support@acme.example', docs: 'https://acme.example/docs/laravel-invoices' },
    require: { php },
    // A conflict instead of a requirement: the calculation works without Laravel, and then nothing more is installed.
    conflict: { 'illuminate/support': '<9.0' },
    suggest: { 'laravel/framework': 'To have the service provider bind everything' },
    autoload: { 'psr-4': { 'Acme\\Invoices\\': 'src/' } },
    extra: {
      laravel: { providers: ['Acme\\Invoices\\InvoicesServiceProvider'] },
      'branch-alias': { 'dev-main': '2.0.x-dev' },
    },
  });

const readme = source`
# Invoices for Laravel

    composer require acme/laravel-invoices
    php artisan vendor:publish --tag=invoices-config

    $invoice = app(\Acme\Invoices\InvoiceFactory::class)->draft('Ada Lovelace');
    $invoice->add(new \Acme\Invoices\Line('Consulting', 3, 12000, 19));
    echo $invoice->totalMinor(); // 42840
`;

const config = source`
<?php

return [
    // Three letters, as in ISO 4217. Amounts are in its smallest unit everywhere.
    'currency' => env('INVOICES_CURRENCY', 'EUR'),

    // {year} and {number} are replaced; numbers begin again with each year.
    'number_format' => env('INVOICES_NUMBER_FORMAT', 'RE-{year}-{number}'),
];
`;

const provider = source`
<?php

namespace Acme\Invoices;

use Illuminate\Support\ServiceProvider;

final class InvoicesServiceProvider extends ServiceProvider
{
    public function register(): void
    {
        $this->mergeConfigFrom(__DIR__ . '/../config/invoices.php', 'invoices');

        $this->app->singleton(InvoiceFactory::class, function ($app) {
            return new InvoiceFactory(
                new InvoiceNumber($app['config']['invoices.number_format']),
                $app['config']['invoices.currency']
            );
        });
    }

    public function boot(): void
    {
        $this->publishes([__DIR__ . '/../config/invoices.php' => $this->app->configPath('invoices.php')], 'invoices-config');
    }
}
`;

const number = source`
<?php

namespace Acme\Invoices;

use InvalidArgumentException;

final class InvoiceNumber
{
    private string $format;

    public function __construct(string $format)
    {
        if (strpos($format, '{number}') === false) {
            throw new InvalidArgumentException('An invoice number needs {number} in its format.');
        }
        $this->format = $format;
    }

    public function text(int $year, int $number): string
    {
        return strtr($this->format, [
            '{year}' => (string) $year,
            '{number}' => str_pad((string) $number, 5, '0', STR_PAD_LEFT),
        ]);
    }
}
`;

const factory = source`
<?php

namespace Acme\Invoices;

final class InvoiceFactory
{
    private InvoiceNumber $number;
    private string $currency;

    public function __construct(InvoiceNumber $number, string $currency)
    {
        $this->number = $number;
        $this->currency = $currency;
    }

    public function draft(string $buyer): Invoice
    {
        return new Invoice($buyer, $this->currency);
    }

    public function numbered(Invoice $invoice, int $year, int $number): Invoice
    {
        return $invoice->withNumber($this->number->text($year, $number));
    }
}
`;

const line = (rounding: string) => source`
<?php

namespace Acme\Invoices;

use InvalidArgumentException;

final class Line
{
    public string $text;
    public float $quantity;
    public int $unitMinor;
    public float $taxPercent;

    public function __construct(string $text, float $quantity, int $unitMinor, float $taxPercent)
    {
        if ($taxPercent < 0) {
            throw new InvalidArgumentException('A tax rate is not negative.');
        }
        $this->text = $text;
        $this->quantity = $quantity;
        $this->unitMinor = $unitMinor;
        $this->taxPercent = $taxPercent;
    }

    public function netMinor(): int
    {
        return (int) round($this->quantity * $this->unitMinor);
    }

    public function taxMinor(): int
    {
        ${rounding}
    }
}
`;

const invoice = source`
<?php

namespace Acme\Invoices;

class Invoice
{
    private string $buyer;
    private string $currency;
    private ?string $number = null;

    /** @var Line[] */
    private array $lines = [];

    public function __construct(string $buyer, string $currency)
    {
        $this->buyer = $buyer;
        $this->currency = $currency;
    }

    public function add(Line $line): self
    {
        $this->lines[] = $line;

        return $this;
    }

    public function withNumber(string $number): self
    {
        $copy = clone $this;
        $copy->number = $number;

        return $copy;
    }

    public function number(): ?string
    {
        return $this->number;
    }

    public function buyer(): string
    {
        return $this->buyer;
    }

    public function currency(): string
    {
        return $this->currency;
    }

    /** @return Line[] */
    public function lines(): array
    {
        return $this->lines;
    }

    public function netMinor(): int
    {
        return array_sum(array_map(static fn (Line $line) => $line->netMinor(), $this->lines));
    }

    public function taxMinor(): int
    {
        return array_sum(array_map(static fn (Line $line) => $line->taxMinor(), $this->lines));
    }

    public function totalMinor(): int
    {
        return $this->netMinor() + $this->taxMinor();
    }
}
`;

const reverseCharge = source`
<?php

namespace Acme\Invoices;

/** Whether a sale between two countries of the EU leaves the tax to its buyer. */
final class ReverseCharge
{
    private const EU = 'AT BE BG CY CZ DE DK EE EL ES FI FR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK';

    public static function applies(string $sellerCountry, string $buyerCountry, ?string $buyerVatId): bool
    {
        $eu = explode(' ', self::EU);
        $isBusiness = $buyerVatId !== null && preg_match('/^[A-Z]{2}[0-9A-Z+*]{2,12}$/', $buyerVatId) === 1;

        return $isBusiness
            && $sellerCountry !== $buyerCountry
            && in_array($sellerCountry, $eu, true)
            && in_array($buyerCountry, $eu, true);
    }
}
`;

const creditNote = source`
<?php

namespace Acme\Invoices;

/** Takes an invoice back, line by line. */
final class CreditNote extends Invoice
{
    public static function of(Invoice $invoice): self
    {
        $note = new self($invoice->buyer(), $invoice->currency());
        foreach ($invoice->lines() as $line) {
            $note->add(new Line($line->text, -$line->quantity, $line->unitMinor, $line->taxPercent));
        }

        return $note;
    }
}
`;

const money = source`
<?php

declare(strict_types=1);

namespace Acme\Invoices;

use InvalidArgumentException;

final class Money
{
    public int $minor;
    public string $currency;

    public function __construct(int $minor, string $currency)
    {
        if (preg_match('/^[A-Z]{3}$/', $currency) !== 1) {
            throw new InvalidArgumentException("$currency is no currency; write three capital letters.");
        }
        $this->minor = $minor;
        $this->currency = $currency;
    }

    public function plus(self $other): self
    {
        if ($other->currency !== $this->currency) {
            throw new InvalidArgumentException("{$this->currency} and {$other->currency} cannot be added.");
        }

        return new self($this->minor + $other->minor, $this->currency);
    }
}
`;

const invoiceWithMoney = invoice.replace(
  '    public function totalMinor(): int',
  `    public function total(): Money
    {
        return new Money($this->totalMinor(), $this->currency);
    }

    public function totalMinor(): int`,
);

const facade = source`
<?php

namespace Acme\Invoices\Facades;

use Acme\Invoices\InvoiceFactory;
use Illuminate\Support\Facades\Facade;

/**
 * @method static \Acme\Invoices\Invoice draft(string $buyer)
 */
final class Invoices extends Facade
{
    protected static function getFacadeAccessor(): string
    {
        return InvoiceFactory::class;
    }
}
`;

const TRUNCATED = 'return (int) ($this->netMinor() * $this->taxPercent / 100);';
const ROUNDED = 'return (int) round($this->netMinor() * $this->taxPercent / 100);';

export const laravelInvoices: DemoModule = {
  name: 'acme/laravel-invoices',
  folder: null,
  releases: [
    {
      version: '1.0.0',
      daysAgo: 372,
      notes: 'Drafts, numbers and totals.',
      changes: {
        'composer.json': composerJson('>=7.4'),
        'README.md': readme,
        'config/invoices.php': config,
        'src/InvoicesServiceProvider.php': provider,
        'src/InvoiceFactory.php': factory,
        'src/InvoiceNumber.php': number,
        'src/Invoice.php': invoice,
        'src/Line.php': line(TRUNCATED),
      },
    },
    {
      version: '1.1.0',
      daysAgo: 208,
      notes: 'Reverse charge for sales between businesses in the EU.',
      changes: { 'src/ReverseCharge.php': reverseCharge },
    },
    {
      version: '1.2.0',
      daysAgo: 94,
      notes: 'Credit notes that take an invoice back line by line.',
      changes: { 'src/CreditNote.php': creditNote },
    },
    {
      version: '1.2.1',
      daysAgo: 13,
      notes: 'Tax is rounded instead of cut off, so that totals agree with your bookkeeping to the cent.',
      changes: { 'src/Line.php': line(ROUNDED) },
    },
    {
      version: '2.0.0-beta.1',
      daysAgo: 6,
      notes: 'Totals as Money, which refuses to mix currencies. Try it and tell us; 1.2 stays supported.',
      changes: { 'composer.json': composerJson('>=8.0'), 'src/Money.php': money, 'src/Invoice.php': invoiceWithMoney },
    },
    {
      version: 'dev-main',
      daysAgo: 2,
      notes: 'Work in progress towards 2.0: a facade.',
      changes: { 'src/Facades/Invoices.php': facade },
    },
  ],
};
