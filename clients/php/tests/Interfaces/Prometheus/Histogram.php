<?php

declare(strict_types=1);

namespace Prometheus;

use Prometheus\Storage\Adapter;

class Histogram extends Collector
{
    public const TYPE = 'histogram';

    /**
     * @param string[] $labels
     * @param float[]|null $buckets
     */
    public function __construct(
        Adapter $adapter,
        string $namespace,
        string $name,
        string $help,
        array $labels = [],
        private readonly ?array $buckets = null
    ) {
        parent::__construct($adapter, $namespace, $name, $help, $labels);
        self::assertIncreasing($buckets ?? self::getDefaultBuckets());
        if (in_array('le', $labels, true)) {
            throw new \InvalidArgumentException("Histogram cannot have a label named 'le'.");
        }
    }

    public function getType(): string
    {
        return self::TYPE;
    }

    /**
     * @return float[]
     */
    public static function getDefaultBuckets(): array
    {
        return [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
    }

    /**
     * @return float[]
     */
    public static function exponentialBuckets(float $start, float $growthFactor, int $numberOfBuckets): array
    {
        if ($numberOfBuckets < 1 || $start <= 0 || $growthFactor <= 1) {
            throw new \InvalidArgumentException('They must be positive, and grow');
        }

        return array_map(static fn (int $i) => $start * $growthFactor ** $i, range(0, $numberOfBuckets - 1));
    }

    /**
     * @param string[] $labels
     */
    public function observe(float $value, array $labels = []): void
    {
        $buckets = $this->buckets ?? self::getDefaultBuckets();
        $this->storageAdapter->updateHistogram($this->data($value, $labels) + ['buckets' => $buckets]);
    }
}
