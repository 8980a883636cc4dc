<?php

declare(strict_types=1);

namespace Prometheus;

interface RegistryInterface
{
    public function wipeStorage(): void;

    /**
     * @return MetricFamilySamples[]
     */
    public function getMetricFamilySamples(): array;

    /**
     * @param string[] $labels
     * @throws Exception\MetricsRegistrationException
     */
    public function registerGauge(string $namespace, string $name, string $help, array $labels = []): Gauge;

    /**
     * @throws Exception\MetricNotFoundException
     */
    public function getGauge(string $namespace, string $name): Gauge;

    /**
     * @param string[] $labels
     * @throws Exception\MetricsRegistrationException
     */
    public function getOrRegisterGauge(string $namespace, string $name, string $help, array $labels = []): Gauge;

    /**
     * @param string[] $labels
     * @throws Exception\MetricsRegistrationException
     */
    public function registerCounter(string $namespace, string $name, string $help, array $labels = []): Counter;

    /**
     * @throws Exception\MetricNotFoundException
     */
    public function getCounter(string $namespace, string $name): Counter;

    /**
     * @param string[] $labels
     * @throws Exception\MetricsRegistrationException
     */
    public function getOrRegisterCounter(string $namespace, string $name, string $help, array $labels = []): Counter;

    /**
     * @param string[] $labels
     * @param float[]|null $buckets
     * @throws Exception\MetricsRegistrationException
     */
    public function registerHistogram(
        string $namespace,
        string $name,
        string $help,
        array $labels = [],
        ?array $buckets = null
    ): Histogram;

    /**
     * @throws Exception\MetricNotFoundException
     */
    public function getHistogram(string $namespace, string $name): Histogram;

    /**
     * @param string[] $labels
     * @param float[]|null $buckets
     * @throws Exception\MetricsRegistrationException
     */
    public function getOrRegisterHistogram(
        string $namespace,
        string $name,
        string $help,
        array $labels = [],
        ?array $buckets = null
    ): Histogram;

    /**
     * @param string[] $labels
     * @param float[]|null $quantiles
     * @throws Exception\MetricsRegistrationException
     */
    public function registerSummary(
        string $namespace,
        string $name,
        string $help,
        array $labels = [],
        int $maxAgeSeconds = 600,
        ?array $quantiles = null
    ): Summary;

    /**
     * @throws Exception\MetricNotFoundException
     */
    public function getSummary(string $namespace, string $name): Summary;

    /**
     * @param string[] $labels
     * @param float[]|null $quantiles
     * @throws Exception\MetricsRegistrationException
     */
    public function getOrRegisterSummary(
        string $namespace,
        string $name,
        string $help,
        array $labels = [],
        int $maxAgeSeconds = 600,
        ?array $quantiles = null
    ): Summary;
}
