<?php

declare(strict_types=1);

namespace Pushprom\Tests\Support;

/**
 * What a scrape of /metrics showed: values by sample, written as on the page.
 */
final class Page
{
    /** @var array<string, float> */
    private array $samples = [];

    public function __construct(public readonly string $text)
    {
        foreach (explode("\n", $text) as $line) {
            if ($line === '' || $line[0] === '#') {
                continue;
            }
            $space = (int) strrpos($line, ' ');
            $this->samples[substr($line, 0, $space)] = (float) substr($line, $space + 1);
        }
    }

    /**
     * @param string $sample as on the page, `x_total{a="b"}` for example
     */
    public function value(string $sample): ?float
    {
        return $this->samples[$sample] ?? null;
    }

    /**
     * The sum of all samples whose text begins so.
     */
    public function sum(string $prefix): float
    {
        $all = array_filter($this->samples, static fn ($key) => str_starts_with($key, $prefix), ARRAY_FILTER_USE_KEY);

        return (float) array_sum($all);
    }
}
