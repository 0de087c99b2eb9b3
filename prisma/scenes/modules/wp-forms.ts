import { type DemoModule, json, source } from './module';

const composerJson = json({
  name: 'acme/wp-forms',
  description: 'Contact and order forms for WordPress that check what is typed and lose no message',
  type: 'wordpress-plugin',
  license: 'GPL-2.0-or-later',
  keywords: ['wordpress', 'forms'],
  homepage: 'https://acme.example/wp-forms',
  authors: [{ name: 'Acme', email: 'support@acme.example' }],
  support: { email: 'support@acme.example', docs: 'https://acme.example/docs/wp-forms' },
  require: { php: '>=7.4' },
  autoload: { 'psr-4': { 'Acme\\WpForms\\': 'src/' } },
});

/** WordPress reads the version from this comment, so every release has its own. */
const main = (version: string) => source`
<?php
/**
 * Plugin Name: Acme Forms
 * Plugin URI: https://acme.example/wp-forms
 * Description: Contact and order forms that check what is typed and lose no message.
 * Version: ${version}
 * Requires at least: 6.0
 * Requires PHP: 7.4
 * Author: Acme
 * License: GPL-2.0-or-later
 * Text Domain: acme-forms
 */

defined('ABSPATH') || exit;

foreach (['Field', 'Form', 'Inbox', 'Plugin'] as $class) {
    require_once __DIR__ . "/src/$class.php";
}

(new Acme\WpForms\Plugin(__FILE__))->boot();
`;

const field = (extra: string) => source`
<?php

namespace Acme\WpForms;

class Field
{
    public string $name;
    public string $label;
    public string $type;
    public bool $isRequired;

    public function __construct(string $name, string $label, string $type = 'text', bool $isRequired = false)
    {
        $this->name = $name;
        $this->label = $label;
        $this->type = $type;
        $this->isRequired = $isRequired;
    }

    /** What is wrong with the text, or null. */
    public function fault(string $text): ?string
    {
        if (trim($text) === '') {
            return $this->isRequired ? "$this->label is needed." : null;
        }
        if ($this->type === 'email' && filter_var($text, FILTER_VALIDATE_EMAIL) === false) {
            return "$this->label is no mail address.";
        }${extra}

        return null;
    }
}
`;

const form = source`
<?php

namespace Acme\WpForms;

class Form
{
    public string $id;

    /** @var Field[] */
    private array $fields = [];

    public function __construct(string $id)
    {
        $this->id = $id;
    }

    public function add(Field $field): self
    {
        $this->fields[$field->name] = $field;

        return $this;
    }

    /**
     * @param array<string, string> $typed
     * @return array<string, string> faults by field; empty where all is well
     */
    public function faults(array $typed): array
    {
        $faults = [];
        foreach ($this->fields as $name => $field) {
            $fault = $field->fault((string) ($typed[$name] ?? ''));
            if ($fault !== null) {
                $faults[$name] = $fault;
            }
        }

        return $faults;
    }

    public function html(): string
    {
        $inputs = '';
        foreach ($this->fields as $field) {
            $inputs .= sprintf(
                '<label>%s <input type="%s" name="%s"%s></label>',
                htmlspecialchars($field->label),
                htmlspecialchars($field->type),
                htmlspecialchars($field->name),
                $field->isRequired ? ' required' : ''
            );
        }

        return sprintf('<form method="post" id="%s">%s<button>Send</button></form>', htmlspecialchars($this->id), $inputs);
    }
}
`;

const inbox = (send: string) => source`
<?php

namespace Acme\WpForms;

/** Keeps every message in the database first; the mail about it may fail. */
class Inbox
{
    public function receive(string $formId, array $typed): int
    {
        $id = wp_insert_post([
            'post_type' => 'acme_message',
            'post_status' => 'private',
            'post_title' => $formId . ' ' . current_time('mysql'),
            'post_content' => wp_json_encode($typed),
        ]);
        ${send}

        return (int) $id;
    }
}
`;

const plugin = source`
<?php

namespace Acme\WpForms;

class Plugin
{
    private string $file;

    public function __construct(string $file)
    {
        $this->file = $file;
    }

    public function boot(): void
    {
        add_action('init', function () {
            register_post_type('acme_message', ['label' => 'Messages', 'public' => false, 'show_ui' => true]);
        });
        add_shortcode('acme_form', [$this, 'shortcode']);
    }

    /** @param array<string, string>|string $attributes */
    public function shortcode($attributes): string
    {
        $form = $this->contactForm((string) ($attributes['id'] ?? 'contact'));
        $typed = $_SERVER['REQUEST_METHOD'] === 'POST' ? wp_unslash($_POST) : null;
        if ($typed === null || $form->faults($typed) !== []) {
            return $form->html();
        }
        (new Inbox())->receive($form->id, $typed);

        return '<p>' . esc_html__('Thank you. We have your message.', 'acme-forms') . '</p>';
    }

    private function contactForm(string $id): Form
    {
        return (new Form($id))
            ->add(new Field('name', 'Your name', 'text', true))
            ->add(new Field('email', 'Your mail address', 'email', true))
            ->add(new Field('message', 'Message', 'text', true));
    }
}
`;

const SEND_ONCE = "wp_mail(get_option('admin_email'), 'New message: ' . $formId, wp_json_encode($typed));";
const SEND_EACH = `foreach ([get_option('admin_email'), get_option('new_admin_email')] as $to) {
            wp_mail($to, 'New message: ' . $formId, wp_json_encode($typed));
        }`;
const SEND_DISTINCT = SEND_EACH.replace(
  "[get_option('admin_email'), get_option('new_admin_email')]",
  "array_unique(array_filter([get_option('admin_email'), get_option('new_admin_email')]))",
);
const PHONE = `
        if ($this->type === 'tel' && preg_match('~^\\+?[0-9 ()/.-]{5,}$~', $text) !== 1) {
            return "$this->label is no telephone number.";
        }`;

export const wpForms: DemoModule = {
  name: 'acme/wp-forms',
  folder: 'acme-forms',
  releases: [
    {
      version: '3.0.0',
      daysAgo: 405,
      notes: 'Messages are kept before the mail about them is sent.',
      changes: {
        'composer.json': composerJson,
        'acme-forms.php': main('3.0.0'),
        'src/Field.php': field(''),
        'src/Form.php': form,
        'src/Inbox.php': inbox(SEND_ONCE),
        'src/Plugin.php': plugin,
      },
    },
    {
      version: '3.1.0',
      daysAgo: 256,
      notes: 'Telephone numbers are checked as they are typed in Europe.',
      changes: { 'acme-forms.php': main('3.1.0'), 'src/Field.php': field(PHONE) },
    },
    {
      version: '3.2.0',
      daysAgo: 122,
      notes: 'Messages also go to an administrator whose address is about to change.',
      withdrawn: 'It sends most messages twice. Install 3.2.1.',
      changes: { 'acme-forms.php': main('3.2.0'), 'src/Inbox.php': inbox(SEND_EACH) },
    },
    {
      version: '3.2.1',
      daysAgo: 120,
      notes: 'Nobody is written to twice.',
      changes: { 'acme-forms.php': main('3.2.1'), 'src/Inbox.php': inbox(SEND_DISTINCT) },
    },
    {
      version: '3.3.0',
      daysAgo: 31,
      notes: 'Every label is tied to its field, so that screen readers say it.',
      changes: {
        'acme-forms.php': main('3.3.0'),
        'src/Form.php': form.replace(
          '<label>%s <input type="%s" name="%s"%s></label>',
          '<label for="%3$s">%1$s</label><input id="%3$s" type="%2$s" name="%3$s"%4$s>',
        ),
      },
    },
  ],
};
