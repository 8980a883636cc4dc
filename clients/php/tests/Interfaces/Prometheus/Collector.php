<?php

declare(strict_types=1);

namespace Prometheus;

use Prometheus\Storage\Adapter;

abstract class Collector
{
    private readonly string $name;

    /**
     * @param string[] $labels
     */
    public function __construct(
        protected readonly Adapter $storageAdapter,
        string $namespace,
        string $name,
        private readonly string $help,
        private readonly array $labels = []
    ) {
        $this->name = ($namespace === '' ? '' : "{$namespace}_") . $name;
    }

    abstract public function getType(): string;

    /**
     * What all metrics pass to a storage.
     *
     * @param string[] $labels
     * @return mixed[]
     */
    protected function data(mixed $value, array $labels): array
    {
        if (count($labels) !== count($this->labels)) {
            throw new \InvalidArgumentException('Labels are not defined correctly');
        }

        return [
            'name' => $this->name,
            'help' => $this->help,
            'type' => $this->getType(),
            'labelNames' => $this->labels,
            'labelValues' => $labels,
            'value' => $value,
        ];
    }
}
