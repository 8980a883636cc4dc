<?php

declare(strict_types=1);

namespace Pushprom;

/**
 * Writes changes as deltas in JSON.
 *
 * @internal
 */
final class Encoder
{
    /** Bytes that are not UTF-8 become U+FFFD: a label that is odd beats a delta that is lost. */
    private const FLAGS = \JSON_INVALID_UTF8_SUBSTITUTE | \JSON_UNESCAPED_SLASHES | \JSON_UNESCAPED_UNICODE;

    /** What `,"value":[` and the end of a delta take. */
    private const FRAME_BYTES = 16;

    /**
     * @param list<Pending> $changes
     * @param int $limitBytes observations are divided among deltas that are no longer than this
     * @return list<string> deltas, each a JSON object; one may be longer than the limit if it cannot be divided
     */
    public static function deltas(array $changes, int $limitBytes): array
    {
        // With another precision, json_encode() would round.
        $precision = \ini_set('serialize_precision', '-1');
        $deltas = [];
        foreach ($changes as $change) {
            $head = self::head($change);
            if ($change->method === Method::Observe) {
                self::observations($deltas, $head, $change->observed, $limitBytes);
            } elseif ($change->method === Method::Declare) {
                $deltas[] = $head . ',"method":"declare"}';
            } elseif ($change->method === Method::Add && $change->value === 1) {
                $deltas[] = $head . ',"method":"inc"}';
            } else {
                $method = $change->method->value;
                $deltas[] = $head . ",\"method\":\"$method\",\"value\":" . \json_encode($change->value) . '}';
            }
        }
        if ($precision !== false) {
            \ini_set('serialize_precision', $precision);
        }

        return $deltas;
    }

    /**
     * A delta up to its method, without the closing brace.
     */
    private static function head(Pending $change): string
    {
        $series = $change->series;
        $fields = ['type' => $series->type->value, 'name' => $series->name];
        if ($change->help !== '') {
            $fields['help'] = $change->help;
        }
        if ($series->labels !== []) {
            $fields['labels'] = (object) $series->labels;
        }

        return \substr((string) \json_encode($fields + $series->recipe, self::FLAGS), 0, -1);
    }

    /**
     * @param list<string> $deltas
     * @param list<int|float> $observed
     */
    private static function observations(array &$deltas, string $head, array $observed, int $limitBytes): void
    {
        $head .= ',"method":"observe","value":';
        if (\count($observed) === 1) {
            $deltas[] = $head . \json_encode($observed[0]) . '}';

            return;
        }
        $all = \json_encode($observed);
        if (\strlen($head) + \strlen((string) $all) < $limitBytes) {
            $deltas[] = $head . $all . '}';

            return;
        }
        $room = $limitBytes - \strlen($head) - self::FRAME_BYTES;
        $values = '';
        foreach ($observed as $value) {
            $text = (string) \json_encode($value);
            if ($values !== '' && \strlen($values) + \strlen($text) > $room) {
                $deltas[] = "{$head}[$values]}";
                $values = '';
            }
            $values .= $values === '' ? $text : ",$text";
        }
        $deltas[] = "{$head}[$values]}";
    }
}
