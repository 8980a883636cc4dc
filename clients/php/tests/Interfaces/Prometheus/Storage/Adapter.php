<?php

declare(strict_types=1);

namespace Prometheus\Storage;

use Prometheus\MetricFamilySamples;

/**
 * The interface of storages of promphp/prometheus_client_php 2.x, which cannot be installed here, written from
 * its documentation. So are the classes beside it: what an application calls, what they refuse, and what arrives at
 * a storage.
 */
interface Adapter
{
    public const COMMAND_INCREMENT_INTEGER = 1;
    public const COMMAND_INCREMENT_FLOAT = 2;
    public const COMMAND_SET = 3;

    /**
     * @return MetricFamilySamples[]
     */
    public function collect(): array;

    /**
     * @param mixed[] $data
     */
    public function updateSummary(array $data): void;

    /**
     * @param mixed[] $data
     */
    public function updateHistogram(array $data): void;

    /**
     * @param mixed[] $data
     */
    public function updateGauge(array $data): void;

    /**
     * @param mixed[] $data
     */
    public function updateCounter(array $data): void;

    public function wipeStorage(): void;
}
