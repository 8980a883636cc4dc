<?php

declare(strict_types=1);

namespace Pushprom\Bench;

/**
 * A metric of OldClient.
 */
final class OldMetric
{
    /**
     * @param array<string, string|int> $labels
     * @param list<int|float> $buckets
     */
    public function __construct(
        private readonly OldClient $client,
        private readonly string $type,
        private readonly string $name,
        private readonly string $help,
        private readonly array $labels,
        private readonly array $buckets = []
    ) {
    }

    public function inc(): void
    {
        $this->push(['method' => 'inc']);
    }

    public function add(int|float $value): void
    {
        $this->push(['value' => $value, 'method' => 'add']);
    }

    public function set(int|float $value): void
    {
        $this->push(['value' => $value, 'method' => 'set']);
    }

    public function observe(int|float $value): void
    {
        $this->push(['value' => $value, 'method' => 'observe', 'buckets' => $this->buckets]);
    }

    /**
     * @param array<string, mixed> $fields
     */
    private function push(array $fields): void
    {
        $labels = [];
        foreach ($this->labels as $label => $value) {
            $labels[$label] = (string) $value;
        }
        if (isset($fields['value'])) {
            $fields['value'] = floatval($fields['value']);
        }
        $metric = ['type' => $this->type, 'name' => $this->name, 'help' => $this->help, 'labels' => $labels];
        $this->client->push(array_merge($metric, $fields), $labels);
    }
}
