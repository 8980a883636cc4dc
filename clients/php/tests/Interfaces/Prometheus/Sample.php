<?php

declare(strict_types=1);

namespace Prometheus;

class Sample
{
    /**
     * @param mixed[] $data
     */
    public function __construct(private readonly array $data)
    {
    }

    public function getName(): string
    {
        return $this->data['name'];
    }

    /**
     * @return string[]
     */
    public function getLabelNames(): array
    {
        return (array) $this->data['labelNames'];
    }

    /**
     * @return mixed[]
     */
    public function getLabelValues(): array
    {
        return (array) $this->data['labelValues'];
    }

    public function getValue(): string
    {
        return match ($this->data['value']) {
            INF => '+Inf',
            -INF => '-Inf',
            default => (string) $this->data['value'],
        };
    }

    public function hasLabelNames(): bool
    {
        return $this->getLabelNames() !== [];
    }
}
