import { type DemoModule, json, source } from './module';

const composerJson = json({
  name: 'acme/module-delivery-dates',
  description: 'Tells buyers in Magento 2 when their parcel can arrive, with cut-off times and holidays',
  type: 'magento2-module',
  license: 'proprietary',
  keywords: ['magento2', 'delivery', 'checkout'],
  homepage: 'https://acme.example/delivery-dates',
  authors: [{ name: 'Acme', email: 'support@acme.example' }],
  support: { email: 'support@acme.example', docs: 'https://acme.example/docs/delivery-dates' },
  require: { php: '>=7.4' },
  // A conflict instead of a requirement: Magento's own repository wants a key, and the calendar works without it.
  conflict: { 'magento/framework': '<102.0' },
  suggest: { 'magento/framework': 'The platform that this is a module of, 102.0 or newer' },
  autoload: { files: ['registration.php'], 'psr-4': { 'Acme\\DeliveryDates\\': '' } },
});

const readme = source`
# Delivery Dates for Magento 2

    composer require acme/module-delivery-dates
    bin/magento module:enable Acme_DeliveryDates
    bin/magento setup:upgrade

Cut-off time and working days are set under Stores > Configuration > Sales > Delivery Dates.
`;

const registration = source`
<?php

use Magento\Framework\Component\ComponentRegistrar;

// Composer loads this file with its autoloader, also where the calendar is used without Magento.
if (class_exists(ComponentRegistrar::class)) {
    ComponentRegistrar::register(ComponentRegistrar::MODULE, 'Acme_DeliveryDates', __DIR__);
}
`;

const moduleXml = source`
<?xml version="1.0"?>
<config xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
        xsi:noNamespaceSchemaLocation="urn:magento:framework:Module/etc/module.xsd">
    <module name="Acme_DeliveryDates">
        <sequence>
            <module name="Magento_Checkout"/>
        </sequence>
    </module>
</config>
`;

const configXml = (holidays: string) => source`
<?xml version="1.0"?>
<config xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
        xsi:noNamespaceSchemaLocation="urn:magento:module:Magento_Store:etc/config.xsd">
    <default>
        <delivery_dates>
            <general>
                <cut_off>14:00</cut_off>
                <transit_days>2</transit_days>${holidays}
            </general>
        </delivery_dates>
    </default>
</config>
`;

const diXml = (holidays: string) => source`
<?xml version="1.0"?>
<config xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
        xsi:noNamespaceSchemaLocation="urn:magento:framework:ObjectManager/etc/config.xsd">
    <type name="Acme\DeliveryDates\Model\Calendar">
        <arguments>
            <argument name="cutOff" xsi:type="string">14:00</argument>
            <argument name="transitDays" xsi:type="number">2</argument>
        </arguments>
    </type>${holidays}
</config>
`;

const calendar = (of: { late: string; free: string; members?: string; parameters?: string; assign?: string }) => source`
<?php

namespace Acme\DeliveryDates\Model;

use DateTimeImmutable;

/** When a parcel that is ordered now can arrive. */
class Calendar
{
    private string $cutOff;
    private int $transitDays;${of.members ?? ''}

    /**
     * @param string $cutOff HH:MM in the shop's zone; what is ordered later leaves a working day later
     */
    public function __construct(string $cutOff, int $transitDays${of.parameters ?? ''})
    {
        $this->cutOff = $cutOff;
        $this->transitDays = $transitDays;${of.assign ?? ''}
    }

    public function earliestArrival(DateTimeImmutable $orderedAt): DateTimeImmutable
    {
        $day = $orderedAt->setTime(0, 0);
        $isLate = ${of.late};
        if ($isLate || !$this->isWorkingDay($day)) {
            $day = $this->nextWorkingDay($day);
        }
        for ($left = $this->transitDays; $left > 0; $left--) {
            $day = $this->nextWorkingDay($day);
        }

        return $day;
    }

    /** @return DateTimeImmutable[] the first dates to choose from */
    public function choices(DateTimeImmutable $orderedAt, int $count): array
    {
        $choices = [$this->earliestArrival($orderedAt)];
        while (count($choices) < $count) {
            $choices[] = $this->nextWorkingDay(end($choices));
        }

        return $choices;
    }

    private function nextWorkingDay(DateTimeImmutable $day): DateTimeImmutable
    {
        do {
            $day = $day->modify('+1 day');
        } while (!$this->isWorkingDay($day));

        return $day;
    }

    private function isWorkingDay(DateTimeImmutable $day): bool
    {
        return ${of.free};
    }
}
`;

const WEEKDAY = "(int) $day->format('N') < 6";
const AFTER = "$orderedAt->format('H:i') > $this->cutOff";
const FROM = "$orderedAt->format('H:i') >= $this->cutOff";

const sentence = source`
<?php

namespace Acme\DeliveryDates\Model;

use DateTimeImmutable;

/** The sentence under a product and in the order's mail. */
class Sentence
{
    private Calendar $calendar;

    public function __construct(Calendar $calendar)
    {
        $this->calendar = $calendar;
    }

    public function text(DateTimeImmutable $now): string
    {
        return 'Order now and receive it on ' . $this->calendar->earliestArrival($now)->format('l, j F') . '.';
    }
}
`;

const holidays = source`
<?php

namespace Acme\DeliveryDates\Model;

use DateTimeImmutable;

/** Days on which no carrier drives, by country; those that move follow Easter. */
class Holidays
{
    private const FIXED = [
        'DE' => ['01-01', '05-01', '10-03', '12-25', '12-26'],
        'AT' => ['01-01', '01-06', '05-01', '08-15', '10-26', '11-01', '12-08', '12-25', '12-26'],
        'NL' => ['01-01', '04-27', '12-25', '12-26'],
    ];

    /** In days after Easter Sunday. */
    private const MOVING = [
        'DE' => [-2, 1, 39, 50],
        'AT' => [1, 39, 50, 60],
        'NL' => [1, 39, 50],
    ];

    private string $country;

    public function __construct(string $country)
    {
        $this->country = $country;
    }

    public function includes(DateTimeImmutable $day): bool
    {
        if (in_array($day->format('m-d'), self::FIXED[$this->country] ?? [], true)) {
            return true;
        }
        $easter = $this->easter((int) $day->format('Y'));
        foreach (self::MOVING[$this->country] ?? [] as $after) {
            if ($easter->modify(sprintf('%+d days', $after))->format('Y-m-d') === $day->format('Y-m-d')) {
                return true;
            }
        }

        return false;
    }

    /** Gauss, for the Gregorian calendar; PHP's easter_date() needs an extension. */
    private function easter(int $year): DateTimeImmutable
    {
        $century = intdiv($year, 100);
        $golden = $year % 19;
        $correction = intdiv($century - 17, 25);
        $moon = ($century - intdiv($century, 4) - intdiv($century - $correction, 3) + 19 * $golden + 15) % 30;
        $moon -= intdiv($moon, 28) * (1 - intdiv($moon, 28) * intdiv(29, $moon + 1) * intdiv(21 - $golden, 11));
        $weekday = ($year + intdiv($year, 4) + $moon + 2 - $century + intdiv($century, 4)) % 7;
        $offset = $moon - $weekday;
        $month = 3 + intdiv($offset + 40, 44);

        return new DateTimeImmutable(sprintf('%04d-%02d-%02d', $year, $month, $offset + 28 - 31 * intdiv($month, 4)));
    }
}
`;

const HOLIDAYS_OF_GERMANY = String.raw`
    <type name="Acme\DeliveryDates\Model\Holidays">
        <arguments>
            <argument name="country" xsi:type="string">DE</argument>
        </arguments>
    </type>`;

const withHolidays = {
  free: `${WEEKDAY} && !($this->holidays !== null && $this->holidays->includes($day))`,
  members: '\n    private ?Holidays $holidays;',
  parameters: ', ?Holidays $holidays = null',
  assign: '\n        $this->holidays = $holidays;',
};

export const deliveryDates: DemoModule = {
  name: 'acme/module-delivery-dates',
  folder: 'module-delivery-dates',
  releases: [
    {
      version: '1.0.0',
      daysAgo: 424,
      notes: 'The earliest date at which a parcel can arrive.',
      changes: {
        'composer.json': composerJson,
        'README.md': readme,
        'registration.php': registration,
        'etc/module.xml': moduleXml,
        'etc/config.xml': configXml(''),
        'etc/di.xml': diXml(''),
        'Model/Calendar.php': calendar({ late: AFTER, free: WEEKDAY }),
      },
    },
    {
      version: '1.1.0',
      daysAgo: 303,
      notes: 'A sentence for product pages and order mails.',
      changes: { 'Model/Sentence.php': sentence },
    },
    {
      version: '1.1.1',
      daysAgo: 284,
      notes: 'An order placed exactly at the cut-off time counts as late, as carriers count it.',
      changes: { 'Model/Calendar.php': calendar({ late: FROM, free: WEEKDAY }) },
    },
    {
      version: '1.2.0',
      daysAgo: 163,
      notes: 'Public holidays of Germany, Austria and the Netherlands.',
      changes: {
        'Model/Holidays.php': holidays,
        'etc/config.xml': configXml('\n                <country>DE</country>'),
        'etc/di.xml': diXml(HOLIDAYS_OF_GERMANY),
        'Model/Calendar.php': calendar({ late: FROM, ...withHolidays }),
      },
    },
    {
      version: '2.0.0-beta1',
      daysAgo: 52,
      notes: 'Needs the shop to say its country; without holidays a date was promised that nobody could keep.',
      changes: {
        'Model/Calendar.php': calendar({
          late: FROM,
          free: `${WEEKDAY} && !$this->holidays->includes($day)`,
          members: '\n    private Holidays $holidays;',
          parameters: ', Holidays $holidays',
          assign: withHolidays.assign,
        }),
      },
    },
    {
      version: '2.0.0',
      daysAgo: 24,
      notes: 'Holidays are required. Shops that call Calendar themselves pass a Holidays; see the README.',
      changes: {
        'README.md': `${readme}\n## From 1.x\n\nPass \`new Holidays('DE')\` as third argument of \`Calendar\`.\n`,
      },
    },
  ],
};
