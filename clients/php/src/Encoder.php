<?php

declare(strict_types=1);

namespace Pushprom;

use Pushprom\Transport\DatagramTransport;

/**
 * Writes changes as deltas in JSON.
 *
 * @internal
 */
final class Encoder
{
    /** Bytes that are not UTF-8 become U+FFFD: a label that is odd beats a delta that is lost. */
    private const FLAGS = \JSON_INVALID_UTF8_SUBSTITUTE | \JSON_UNESCAPED_SLASHES | \JSON_UNESCAPED_UNICODE;

    /**
     * @param list<Pending> $changes
     * @param int $limitBytes observations are divided among deltas that are no longer than this
     * @return list<string> deltas, each a JSON object; one may be longer than the limit if it cannot be divided
     */
    public static function deltas(array $changes, int $limitBytes): array
    {
        // With another precision, json_encode() would round.
        $precision = \function_exists('ini_set') ? \ini_set('serialize_precision', '-1') : false;
        try {
            $deltas = [];
            foreach ($changes as $change) {
                $fields = self::fields($change);
                $delta = (string) \json_encode($fields, self::FLAGS);
                if (\strlen($delta) <= $limitBytes || \count($change->observed) < 2) {
                    $deltas[] = $delta;
                } else {
                    self::divide($deltas, $fields, $change->observed, $limitBytes);
                }
            }

            return $deltas;
        } finally {
            if ($precision !== false) {
                \ini_set('serialize_precision', $precision);
            }
        }
    }

    /**
     * @return array<string, mixed> with the value last
     */
    private static function fields(Pending $change): array
    {
        $series = $change->series;
        $fields = ['type' => $series->type->value, 'name' => $series->name];
        if ($change->help !== '') {
            $fields['help'] = $change->help;
        }
        if ($series->labels !== []) {
            $fields['labels'] = $series->labels;
        }
        if ($series->recipe !== []) {
            $fields += $series->recipe;
        }
        $method = $change->method;
        if ($method === Method::Add && $change->value === 1) {
            $fields['method'] = 'inc';

            return $fields;
        }
        $fields['method'] = $method->value;
        if ($method === Method::Observe) {
            $fields['value'] = \count($change->observed) === 1 ? $change->observed[0] : $change->observed;
        } elseif ($method !== Method::Declare) {
            $fields['value'] = $change->value;
        }

        return $fields;
    }

    /**
     * @param list<string> $deltas
     * @param array<string, mixed> $fields
     * @param non-empty-list<int|float> $observed
     */
    private static function divide(array &$deltas, array $fields, array $observed, int $limitBytes): void
    {
        $fields['value'] = [];
        $head = \substr((string) \json_encode($fields, self::FLAGS), 0, -\strlen(']}'));
        if (2 * \strlen($head) > $limitBytes) {
            // It is not worth repeating for a few values each time: as few messages as can be, then.
            $limitBytes = \max($limitBytes, DatagramTransport::MOST_BYTES);
        }
        $room = $limitBytes - \strlen($head) - \strlen(']}');
        if ($room <= 0) {
            // No message has room for it.
            $room = \PHP_INT_MAX;
        }
        $values = '';
        foreach ($observed as $value) {
            $text = (string) \json_encode($value);
            if ($values !== '' && \strlen($values) + 1 + \strlen($text) > $room) {
                $deltas[] = "$head$values]}";
                $values = '';
            }
            $values .= $values === '' ? $text : ",$text";
        }
        $deltas[] = "$head$values]}";
    }
}
