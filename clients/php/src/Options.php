<?php

declare(strict_types=1);

namespace Pushprom;

/**
 * What a framework has read from its configuration, where all that comes from the environment may be text. What is
 * null or '' is as if it were missing.
 *
 * @internal
 */
final class Options
{
    private const LABEL = '/^(?!__|(le|quantile)$)[a-zA-Z_][a-zA-Z0-9_]*$/D';

    /** Far beyond what makes sense, and exact as a float. */
    private const MOST = 1e15;

    /**
     * @param array<mixed> $options
     */
    public function __construct(private readonly array $options)
    {
    }

    /**
     * @throws \InvalidArgumentException as all of these, with the option, its value, and what it has to be
     */
    public function flag(string $option): ?bool
    {
        $value = $this->given($option);

        return $value === null ? null : \filter_var($value, \FILTER_VALIDATE_BOOL, \FILTER_NULL_ON_FAILURE)
            ?? throw self::mistake($option, self::shown($value), 'true or false');
    }

    public function text(string $option): ?string
    {
        $value = $this->given($option);
        // YAML makes a number of a token that looks like one.
        if ($value === null || \is_string($value) || \is_int($value)) {
            return $value === null ? null : (string) $value;
        }
        // It could be a token, which is not shown.
        throw self::mistake($option, \get_debug_type($value), 'text');
    }

    public function integer(string $option, int $least): ?int
    {
        $value = $this->given($option);
        $number = self::number($value);
        $isWhole = $number !== null && \floor($number) === (float) $number;
        if ($value === null || ($isWhole && $number >= $least && $number <= self::MOST)) {
            return $value === null ? null : (int) $number;
        }
        throw self::mistake($option, self::shown($value), "a whole number of $least or more");
    }

    public function seconds(string $option): ?float
    {
        $value = $this->given($option);
        $number = self::number($value);
        if ($value === null || ($number !== null && $number >= 0)) {
            return $value === null ? null : (float) $number;
        }
        throw self::mistake($option, self::shown($value), 'a number of seconds, 0 or more');
    }

    /**
     * @return array<mixed>|null by name
     */
    public function labels(string $option): ?array
    {
        $value = $this->given($option);
        if ($value !== null && !\is_array($value)) {
            throw self::mistake($option, self::shown($value), 'values by name');
        }
        foreach ($value ?? [] as $name => $text) {
            if (\preg_match(self::LABEL, (string) $name) !== 1) {
                $remedy = 'of letters, digits and _, with neither a digit nor two _ at its start, and not "le" or '
                    . '"quantile"';
                throw self::mistake("a name in $option", self::shown($name), $remedy);
            }
            if (Series::text($text) === null) {
                throw self::mistake("$option.$name", self::shown($text), 'text');
            }
        }

        return $value;
    }

    /**
     * @return list<int|float>|null
     */
    public function buckets(string $option): ?array
    {
        $value = $this->given($option);
        if ($value === null) {
            return null;
        }
        $bounds = [];
        foreach (\is_array($value) ? $value : [$value] as $bound) {
            $number = self::number($bound);
            if (!\is_array($value) || $number === null || ($bounds !== [] && $number <= \end($bounds))) {
                $remedy = 'a list of numbers in increasing order, such as [0.1, 0.5, 1]; infinity is there by itself';
                throw self::mistake($option, self::shown($value), $remedy);
            }
            $bounds[] = $number;
        }

        return $bounds;
    }

    private function given(string $option): mixed
    {
        $value = $this->options[$option] ?? '';

        return $value === '' ? null : $value;
    }

    /**
     * @return int|float|null null if it is none, or not a finite one
     */
    private static function number(mixed $value): int|float|null
    {
        $number = \is_string($value) && \is_numeric($value) ? $value + 0 : $value;

        return \is_int($number) || (\is_float($number) && \is_finite($number)) ? $number : null;
    }

    private static function mistake(string $option, string $shown, string $remedy): \InvalidArgumentException
    {
        return new \InvalidArgumentException("$option is $shown, and has to be $remedy");
    }

    private static function shown(mixed $value): string
    {
        return match (true) {
            \is_string($value) => "\"$value\"",
            \is_bool($value) => $value ? 'true' : 'false',
            \is_array($value) => '[' . \implode(', ', \array_map(self::shown(...), $value)) . ']',
            default => Series::text($value) ?? \get_debug_type($value),
        };
    }
}
