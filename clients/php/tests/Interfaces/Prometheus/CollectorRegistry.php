<?php

declare(strict_types=1);

namespace Prometheus;

use Prometheus\Storage\Adapter;

class CollectorRegistry
{
    /** @var array<string, Collector> */
    private array $collectors = [];

    public function __construct(private readonly Adapter $storageAdapter, bool $registerDefaultMetrics = true)
    {
        if ($registerDefaultMetrics) {
            $this->getOrRegisterGauge('', 'php_info', 'Information about the PHP environment.', ['version'])
                ->set(1, [PHP_VERSION]);
        }
    }

    public function wipeStorage(): void
    {
        $this->storageAdapter->wipeStorage();
    }

    /**
     * @return MetricFamilySamples[]
     */
    public function getMetricFamilySamples(bool $sortMetrics = true): array
    {
        return $this->storageAdapter->collect($sortMetrics);
    }

    /**
     * @param string[] $labels
     */
    public function getOrRegisterCounter(string $namespace, string $name, string $help, array $labels = []): Counter
    {
        return $this->collectors["counter $namespace:$name"]
            ??= new Counter($this->storageAdapter, $namespace, $name, $help, $labels);
    }

    /**
     * @param string[] $labels
     */
    public function getOrRegisterGauge(string $namespace, string $name, string $help, array $labels = []): Gauge
    {
        return $this->collectors["gauge $namespace:$name"]
            ??= new Gauge($this->storageAdapter, $namespace, $name, $help, $labels);
    }

    /**
     * @param string[] $labels
     * @param float[]|null $buckets
     */
    public function getOrRegisterHistogram(
        string $namespace,
        string $name,
        string $help,
        array $labels = [],
        ?array $buckets = null
    ): Histogram {
        return $this->collectors["histogram $namespace:$name"]
            ??= new Histogram($this->storageAdapter, $namespace, $name, $help, $labels, $buckets);
    }

    /**
     * @param string[] $labels
     * @param float[]|null $quantiles
     */
    public function getOrRegisterSummary(
        string $namespace,
        string $name,
        string $help,
        array $labels = [],
        int $maxAgeSeconds = 600,
        ?array $quantiles = null
    ): Summary {
        return $this->collectors["summary $namespace:$name"]
            ??= new Summary($this->storageAdapter, $namespace, $name, $help, $labels, $maxAgeSeconds, $quantiles);
    }
}
