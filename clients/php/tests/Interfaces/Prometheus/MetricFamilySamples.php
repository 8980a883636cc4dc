<?php

declare(strict_types=1);

namespace Prometheus;

class MetricFamilySamples
{
    /** @var Sample[] */
    private readonly array $samples;

    /**
     * @param mixed[] $data
     */
    public function __construct(private readonly array $data)
    {
        $this->samples = array_map(static fn (array $sample) => new Sample($sample), $data['samples'] ?? []);
    }

    public function getName(): string
    {
        return $this->data['name'];
    }

    public function getType(): string
    {
        return $this->data['type'];
    }

    public function getHelp(): string
    {
        return $this->data['help'];
    }

    /**
     * @return Sample[]
     */
    public function getSamples(): array
    {
        return $this->samples;
    }

    /**
     * @return string[]
     */
    public function getLabelNames(): array
    {
        return $this->data['labelNames'];
    }

    public function hasLabelNames(): bool
    {
        return $this->getLabelNames() !== [];
    }
}
