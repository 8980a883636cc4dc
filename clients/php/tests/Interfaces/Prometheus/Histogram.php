<?php

declare(strict_types=1);

namespace Prometheus;

use Prometheus\Storage\Adapter;

class Histogram extends Collector
{
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
    }

    public function getType(): string
    {
        return 'histogram';
    }

    /**
     * @return float[]
     */
    public static function getDefaultBuckets(): array
    {
        return [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
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
