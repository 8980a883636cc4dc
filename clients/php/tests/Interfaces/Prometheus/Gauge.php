<?php

declare(strict_types=1);

namespace Prometheus;

use Prometheus\Storage\Adapter;

class Gauge extends Collector
{
    public const TYPE = 'gauge';

    public function getType(): string
    {
        return self::TYPE;
    }

    /**
     * @param string[] $labels
     */
    public function set(float $value, array $labels = []): void
    {
        $this->storageAdapter->updateGauge($this->data($value, $labels) + ['command' => Adapter::COMMAND_SET]);
    }

    /**
     * @param string[] $labels
     */
    public function inc(array $labels = []): void
    {
        $this->incBy(1, $labels);
    }

    /**
     * @param int|float $value
     * @param string[] $labels
     */
    public function incBy($value, array $labels = []): void
    {
        $command = Adapter::COMMAND_INCREMENT_FLOAT;
        $this->storageAdapter->updateGauge($this->data($value, $labels) + ['command' => $command]);
    }

    /**
     * @param string[] $labels
     */
    public function dec(array $labels = []): void
    {
        $this->decBy(1, $labels);
    }

    /**
     * @param int|float $value
     * @param string[] $labels
     */
    public function decBy($value, array $labels = []): void
    {
        $this->incBy(-$value, $labels);
    }
}
