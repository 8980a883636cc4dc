<?php

declare(strict_types=1);

namespace Prometheus;

use Prometheus\Storage\Adapter;

class Counter extends Collector
{
    public const TYPE = 'counter';

    public function getType(): string
    {
        return self::TYPE;
    }

    /**
     * @param string[] $labels
     */
    public function inc(array $labels = []): void
    {
        $this->incBy(1, $labels);
    }

    /**
     * @param int|float $count
     * @param string[] $labels
     */
    public function incBy($count, array $labels = []): void
    {
        $command = is_float($count) ? Adapter::COMMAND_INCREMENT_FLOAT : Adapter::COMMAND_INCREMENT_INTEGER;
        $this->storageAdapter->updateCounter($this->data($count, $labels) + ['command' => $command]);
    }
}
