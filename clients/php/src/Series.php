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
     * Deltas whose series have the same key compose into one.
     */
    public readonly string $key;

    /**
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
        public readonly ?string $fault
    ) {
        // Length by length, so that no two series have one key whatever is in their names and values.
        $key = $type->value . ' ' . \strlen($name) . ' ' . $name;
        foreach ($labels as $label => $value) {
            $key .= \strlen((string) $label) . ' ' . $label . \strlen($value) . ' ' . $value;
        }
        $this->key = $recipe === [] ? $key : $key . \serialize($recipe);
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
        $texts = [];
        foreach ($labels as $label => $value) {
            if (\is_int($label)) {
                $fault = "labels need names, as in ['status' => '200']; got one with the number $label";
                continue;
            }
            $text = self::text($value);
            if ($text === null) {
                $fault = "the value of label \"$label\" has to be text, and is " . \get_debug_type($value);
                continue;
            }
            $texts[$label] = $text;
        }
        if ($constLabels !== []) {
            $texts = $constLabels + $texts;
        }
        if (\count($texts) > 1) {
            \ksort($texts);
        }

        return new self($type, $name, $help, $texts, $recipe, $fault);
    }

    /**
     * A label value as text; null if it has none.
     */
    public static function text(mixed $value): ?string
    {
        if (\is_string($value)) {
            return $value;
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
}
