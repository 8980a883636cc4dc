<?php

declare(strict_types=1);

namespace Prometheus;

use Prometheus\Storage\Adapter;

class Summary extends Collector
{
    public const TYPE = 'summary';

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
        self::assertIncreasing($quantiles ?? self::getDefaultQuantiles());
        if (min($quantiles ?? [1]) <= 0 || max($quantiles ?? [0]) >= 1 || $maxAgeSeconds <= 0) {
            throw new \InvalidArgumentException('Quantiles are between 0 and 1, and maxAgeSeconds greater than 0');
        }
        if (in_array('quantile', $labels, true)) {
            throw new \InvalidArgumentException("Summary cannot have a label named 'quantile'.");
        }
    }

    public function getType(): string
    {
        return self::TYPE;
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
