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
        self::assertValidMetricName($this->name);
        array_map(self::assertValidLabel(...), $labels);
    }

    abstract public function getType(): string;

    public function getName(): string
    {
        return $this->name;
    }

    public function getHelp(): string
    {
        return $this->help;
    }

    /**
     * @return string[]
     */
    public function getLabelNames(): array
    {
        return $this->labels;
    }

    public function getKey(): string
    {
        return sha1($this->name . serialize($this->labels));
    }

    public static function assertValidMetricName(string $metricName): void
    {
        if (preg_match('/^[a-zA-Z_:][a-zA-Z0-9_:]*$/', $metricName) !== 1) {
            throw new \InvalidArgumentException("Invalid metric name: '$metricName'");
        }
    }

    public static function assertValidLabel(string $label): void
    {
        if (preg_match('/^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/', $label) !== 1) {
            throw new \InvalidArgumentException("Invalid label name: '$label'");
        }
    }

    /**
     * @param float[] $numbers
     */
    protected static function assertIncreasing(array $numbers): void
    {
        if ($numbers === []) {
            throw new \InvalidArgumentException('There must be at least one');
        }
        for ($i = 1; $i < count($numbers); $i++) {
            if ($numbers[$i - 1] >= $numbers[$i]) {
                throw new \InvalidArgumentException('They must be in increasing order');
            }
        }
    }

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
