<?php

declare(strict_types=1);

namespace Prometheus;

use Prometheus\Storage\Adapter;

class Summary extends Collector
{
    /**
     * @param string[] $labels
     * @param float[]|null $quantiles
     */
    public function __construct(
        Adapter $adapter,
        string $namespace,
        string $name,
        string $help,
        array $labels = [],
        private readonly int $maxAgeSeconds = 600,
        private readonly ?array $quantiles = null
    ) {
        parent::__construct($adapter, $namespace, $name, $help, $labels);
    }

    public function getType(): string
    {
        return 'summary';
    }

    /**
     * @return float[]
     */
    public static function getDefaultQuantiles(): array
    {
        return [0.01, 0.05, 0.5, 0.95, 0.99];
    }

    /**
     * @param string[] $labels
     */
    public function observe(float $value, array $labels = []): void
    {
        $this->storageAdapter->updateSummary($this->data($value, $labels) + [
            'maxAgeSeconds' => $this->maxAgeSeconds,
            'quantiles' => $this->quantiles ?? self::getDefaultQuantiles(),
        ]);
    }
}
