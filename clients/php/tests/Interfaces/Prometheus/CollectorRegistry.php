<?php

declare(strict_types=1);

namespace Prometheus;

use Prometheus\Exception\MetricNotFoundException;
use Prometheus\Exception\MetricsRegistrationException;
use Prometheus\Storage\Adapter;

class CollectorRegistry implements RegistryInterface
{
    /** @var array<class-string, array<string, Collector>> by class, namespace and name */
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
     * @throws MetricsRegistrationException
     */
    public function registerGauge(string $namespace, string $name, string $help, array $labels = []): Gauge
    {
        return $this->register(Gauge::class, $namespace, $name, $help, $labels);
    }

    /**
     * @throws MetricNotFoundException
     */
    public function getGauge(string $namespace, string $name): Gauge
    {
        return $this->get(Gauge::class, $namespace, $name);
    }

    /**
     * @param string[] $labels
     * @throws MetricsRegistrationException
     */
    public function getOrRegisterGauge(string $namespace, string $name, string $help, array $labels = []): Gauge
    {
        return $this->collectors[Gauge::class]["$namespace:$name"]
            ?? $this->registerGauge($namespace, $name, $help, $labels);
    }

    /**
     * @param string[] $labels
     * @throws MetricsRegistrationException
     */
    public function registerCounter(string $namespace, string $name, string $help, array $labels = []): Counter
    {
        return $this->register(Counter::class, $namespace, $name, $help, $labels);
    }

    /**
     * @throws MetricNotFoundException
     */
    public function getCounter(string $namespace, string $name): Counter
    {
        return $this->get(Counter::class, $namespace, $name);
    }

    /**
     * @param string[] $labels
     * @throws MetricsRegistrationException
     */
    public function getOrRegisterCounter(string $namespace, string $name, string $help, array $labels = []): Counter
    {
        return $this->collectors[Counter::class]["$namespace:$name"]
            ?? $this->registerCounter($namespace, $name, $help, $labels);
    }

    /**
     * @param string[] $labels
     * @param float[]|null $buckets
     * @throws MetricsRegistrationException
     */
    public function registerHistogram(
        string $namespace,
        string $name,
        string $help,
        array $labels = [],
        ?array $buckets = null
    ): Histogram {
        return $this->register(Histogram::class, $namespace, $name, $help, $labels, $buckets);
    }

    /**
     * @throws MetricNotFoundException
     */
    public function getHistogram(string $namespace, string $name): Histogram
    {
        return $this->get(Histogram::class, $namespace, $name);
    }

    /**
     * @param string[] $labels
     * @param float[]|null $buckets
     * @throws MetricsRegistrationException
     */
    public function getOrRegisterHistogram(
        string $namespace,
        string $name,
        string $help,
        array $labels = [],
        ?array $buckets = null
    ): Histogram {
        return $this->collectors[Histogram::class]["$namespace:$name"]
            ?? $this->registerHistogram($namespace, $name, $help, $labels, $buckets);
    }

    /**
     * @param string[] $labels
     * @param float[]|null $quantiles
     * @throws MetricsRegistrationException
     */
    public function registerSummary(
        string $namespace,
        string $name,
        string $help,
        array $labels = [],
        int $maxAgeSeconds = 600,
        ?array $quantiles = null
    ): Summary {
        return $this->register(Summary::class, $namespace, $name, $help, $labels, $maxAgeSeconds, $quantiles);
    }

    /**
     * @throws MetricNotFoundException
     */
    public function getSummary(string $namespace, string $name): Summary
    {
        return $this->get(Summary::class, $namespace, $name);
    }

    /**
     * @param string[] $labels
     * @param float[]|null $quantiles
     * @throws MetricsRegistrationException
     */
    public function getOrRegisterSummary(
        string $namespace,
        string $name,
        string $help,
        array $labels = [],
        int $maxAgeSeconds = 600,
        ?array $quantiles = null
    ): Summary {
        return $this->collectors[Summary::class]["$namespace:$name"]
            ?? $this->registerSummary($namespace, $name, $help, $labels, $maxAgeSeconds, $quantiles);
    }

    /**
     * @template T of Collector
     * @param class-string<T> $class
     * @return T
     */
    private function register(string $class, string $namespace, string $name, mixed ...$arguments): Collector
    {
        if (isset($this->collectors[$class]["$namespace:$name"])) {
            throw new MetricsRegistrationException("Metric $namespace:$name already registered");
        }

        return $this->collectors[$class]["$namespace:$name"]
            = new $class($this->storageAdapter, $namespace, $name, ...$arguments);
    }

    /**
     * @template T of Collector
     * @param class-string<T> $class
     * @return T
     */
    private function get(string $class, string $namespace, string $name): Collector
    {
        return $this->collectors[$class]["$namespace:$name"]
            ?? throw new MetricNotFoundException("Metric not found: $namespace:$name");
    }
}
