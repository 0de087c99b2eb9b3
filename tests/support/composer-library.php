<?php

// Answers one JSON question per line with the libraries of the installed Composer, one JSON answer per line.

require '/usr/share/php/Composer/Semver/autoload.php';
require '/usr/share/php/Composer/MetadataMinifier/autoload.php';

use Composer\MetadataMinifier\MetadataMinifier;
use Composer\Semver\Comparator;
use Composer\Semver\Constraint\Constraint;
use Composer\Semver\Semver;
use Composer\Semver\VersionParser;

$parser = new VersionParser();
$answers = [
    'normalize' => static fn (array $q) => $parser->normalize($q['version']),
    'stability' => static fn (array $q) => VersionParser::parseStability($q['version']),
    'matches' => static function (array $q) use ($parser): array {
        $constraint = $parser->parseConstraints($q['constraint']);
        return array_map(static fn (string $v) => $constraint->matches(new Constraint('==', $v)), $q['versions']);
    },
    'compare' => static fn (array $q) => Comparator::lessThan($q['a'], $q['b']) ? -1 : (Comparator::greaterThan($q['a'], $q['b']) ? 1 : 0),
    'rsort' => static fn (array $q) => Semver::rsort($q['versions']),
    'minify' => static fn (array $q) => MetadataMinifier::minify($q['versions']),
    'expand' => static fn (array $q) => MetadataMinifier::expand($q['versions']),
];

while (false !== ($line = fgets(STDIN))) {
    $question = json_decode($line, true, 512, JSON_THROW_ON_ERROR);
    try {
        $answer = ['answer' => $answers[$question['ask']]($question)];
    } catch (UnexpectedValueException $refusal) {
        $answer = ['answer' => null];
    }
    echo json_encode($answer, JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE), "\n";
}
