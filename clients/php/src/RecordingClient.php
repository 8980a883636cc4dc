<?php

declare(strict_types=1);

namespace Pushprom;

/**
 * Sends nothing and keeps all that is recorded, for tests of applications: they can ask it what has happened.
 */
final class RecordingClient extends Recorder
{
    private Buffer $buffer;

    private Losses $losses;

    /**
     * @param array<mixed> $constLabels as with Client. The labels that the methods below take need not repeat them.
     */
    public function __construct(array $constLabels = [])
    {
        parent::__construct($constLabels);
        $this->reset();
    }

    public function record(Series $series, Method $method, int|float $value = 0): void
    {
        $reason = $series->fault === null ? Reason::Value : Reason::Label;
        $fault = $series->fault ?? $this->buffer->record($series, $method, $value);
        if ($fault !== null) {
            $this->losses->add($reason, 1, $fault);
        }
    }

    /**
     * Sends nothing. What was recorded can still be read after it.
     */
    public function flush(): bool
    {
        return true;
    }

    public function lost(): array
    {
        return $this->losses->all();
    }

    /**
     * What a counter or a gauge has come to, counted from 0.
     *
     * @param array<mixed> $labels all labels of the series
     * @return int|float|null null if nothing has happened to it
     */
    public function value(string $name, array $labels = []): int|float|null
    {
        return $this->find($name, $labels, Type::Counter, Type::Gauge)?->value;
    }

    /**
     * What a histogram or a summary has observed, in this order.
     *
     * @param array<mixed> $labels all labels of the series
     * @return list<int|float>
     */
    public function observations(string $name, array $labels = []): array
    {
        return $this->find($name, $labels, Type::Histogram, Type::Summary)->observed ?? [];
    }

    /**
     * What Client would send if all was sent at once: a delta for each series.
     *
     * @return list<array<string, mixed>> as docs/deltas.md of Pushprom has them
     */
    public function deltas(): array
    {
        $deltas = [];
        foreach (Encoder::deltas($this->buffer->all(), \PHP_INT_MAX) as $delta) {
            /** @var array<string, mixed> $fields */
            $fields = \json_decode($delta, true, flags: \JSON_THROW_ON_ERROR);
            $deltas[] = $fields;
        }

        return $deltas;
    }

    /**
     * Forgets everything, as between two tests.
     */
    public function reset(): void
    {
        $this->buffer = new Buffer();
        $this->losses = new Losses();
    }

    /**
     * @param array<mixed> $labels
     */
    private function find(string $name, array $labels, Type ...$types): ?Pending
    {
        foreach ($types as $type) {
            $series = Series::of($type, $name, '', $labels, $this->constLabels);
            $found = $this->buffer->find($series->key);
            if ($found !== null) {
                return $found;
            }
        }

        return null;
    }
}
