<?php

declare(strict_types=1);

namespace Pushprom;

/**
 * A metric with its labels: what one delta is about.
 *
 * @internal
 */
final class Series
{
    /**
     * @param string $key deltas whose series have the same key compose into one. The recipe has no part in it,
     *     because a metric is kept as the first one of its name says.
     * @param array<string, string> $labels
     * @param array<string, mixed> $recipe the fields of a delta that say how the metric is kept: `buckets`,
     *     `native`, `objectives`
     * @param string|null $fault why nothing of it can be sent, if that is so
     */
    private function __construct(
        public readonly Type $type,
        public readonly string $name,
        public readonly string $help,
        public readonly array $labels,
        public readonly array $recipe,
        public readonly string $key,
        public readonly ?string $fault
    ) {
    }

    /**
     * @param array<mixed> $labels as an application gives them
     * @param array<string, string> $constLabels these win over labels of the same name
     * @param array<string, mixed> $recipe
     */
    public static function of(
        Type $type,
        string $name,
        string $help,
        array $labels,
        array $constLabels,
        array $recipe = []
    ): self {
        $fault = null;
        foreach ($labels as $label => $value) {
            if (\is_int($label)) {
                unset($labels[$label]);
                $fault = "labels need names, as in ['status' => '200']; got one with the number $label";
            } elseif (!\is_string($value)) {
                $text = self::text($value);
                $labels[$label] = $text ?? '';
                if ($text === null) {
                    $fault = "the value of label \"$label\" has to be text, and is " . \get_debug_type($value);
                }
            }
        }
        /** @var array<string, string> $labels */
        $labels = $constLabels + $labels;
        if (\count($labels) > 1) {
            \ksort($labels, \SORT_STRING);
        }
        if ($recipe !== []) {
            $fault ??= self::faultOf($recipe);
        }
        // What comes before the name tells by itself where it ends, so that no two series have one key.
        $key = \serialize($labels) . $type->value . $name;

        return new self($type, $name, $help, $labels, $recipe, $key, $fault);
    }

    /**
     * A label value as text; null if it has none.
     */
    public static function text(mixed $value): ?string
    {
        if (\is_string($value)) {
            return $value;
        }
        if (\is_float($value)) {
            return self::ofFloat($value);
        }
        if (\is_scalar($value) || $value === null) {
            return (string) $value;
        }
        if ($value instanceof \BackedEnum) {
            return (string) $value->value;
        }
        if ($value instanceof \Stringable) {
            try {
                return (string) $value;
            } catch (\Throwable) {
                return null;
            }
        }

        return null;
    }

    /**
     * As a conversion to a string does by default; that depends on `precision`, and warns of NAN since PHP 8.5.
     */
    private static function ofFloat(float $value): string
    {
        return match (true) {
            \is_nan($value) => 'NAN',
            \is_infinite($value) => $value > 0 ? 'INF' : '-INF',
            default => \sprintf('%.14H', $value),
        };
    }

    /**
     * What makes a recipe one that JSON or Pushprom does not take.
     *
     * @param array<string, mixed> $recipe
     */
    private static function faultOf(array $recipe): ?string
    {
        foreach ($recipe as $field => $numbers) {
            if (\is_bool($numbers)) {
                continue;
            }
            foreach ((array) $numbers as $number) {
                if (!\is_int($number) && !(\is_float($number) && \is_finite($number))) {
                    $shown = self::text($number) ?? \get_debug_type($number);

                    return "$field have to be finite numbers; one of them is \"$shown\"";
                }
            }
        }

        return null;
    }
}
