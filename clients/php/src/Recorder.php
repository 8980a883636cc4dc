<?php

declare(strict_types=1);

namespace Pushprom;

use Pushprom\Metric\Counter;
use Pushprom\Metric\Gauge;
use Pushprom\Metric\Histogram;
use Pushprom\Metric\Summary;

/**
 * Makes metrics that record what happens to them here. Clients differ in what they do with it.
 *
 * @internal
 */
abstract class Recorder implements ClientInterface
{
    /** @var array<string, string> */
    protected readonly array $constLabels;

    /**
     * @param array<mixed> $constLabels labels of every series of this client
     * @throws \InvalidArgumentException for labels without a name or whose value is no text
     */
    public function __construct(array $constLabels = [])
    {
        $series = Series::of(Type::Counter, '', '', $constLabels, []);
        if ($series->fault !== null) {
            throw new \InvalidArgumentException("constLabels: $series->fault");
        }
        $this->constLabels = $series->labels;
    }

    /**
     * Takes a change to a series.
     */
    abstract public function record(Series $series, Method $method, int|float $value = 0): void;

    final public function counter(string $name, string $help = '', array $labels = []): Counter
    {
        return new Counter($this, Series::of(Type::Counter, $name, $help, $labels, $this->constLabels));
    }

    final public function gauge(string $name, string $help = '', array $labels = []): Gauge
    {
        return new Gauge($this, Series::of(Type::Gauge, $name, $help, $labels, $this->constLabels));
    }

    final public function histogram(
        string $name,
        string $help = '',
        array $labels = [],
        array $buckets = [],
        bool $native = false
    ): Histogram {
        $recipe = $buckets === [] ? [] : ['buckets' => \array_values($buckets)];
        if ($native) {
            $recipe['native'] = true;
        }

        return new Histogram($this, Series::of(Type::Histogram, $name, $help, $labels, $this->constLabels, $recipe));
    }

    final public function summary(
        string $name,
        string $help = '',
        array $labels = [],
        array $objectives = []
    ): Summary {
        // An object even where PHP made integers of the keys '0' and '1'.
        $recipe = $objectives === [] ? [] : ['objectives' => (object) $objectives];

        return new Summary($this, Series::of(Type::Summary, $name, $help, $labels, $this->constLabels, $recipe));
    }
}
