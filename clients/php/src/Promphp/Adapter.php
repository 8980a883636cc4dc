<?php

declare(strict_types=1);

namespace Pushprom\Promphp;

use Prometheus\MetricFamilySamples;
use Prometheus\Storage\Adapter as StorageAdapter;
use Pushprom\ClientInterface;
use Pushprom\Series;

/**
 * A storage for promphp/prometheus_client_php that pushes: what its metrics record goes to Pushprom, which
 * adds it up and shows it.
 */
final class Adapter implements StorageAdapter
{
    /** Of the distance of a quantile to the nearer end, the error of rank that is asked for. */
    private const OBJECTIVE_PART = 10;

    public function __construct(private readonly ClientInterface $client)
    {
    }

    /**
     * Nothing: the totals are Pushprom's, and so is the page that shows them.
     *
     * @param bool $sortMetrics as the library passes it
     * @return MetricFamilySamples[]
     */
    public function collect(bool $sortMetrics = true): array
    {
        return [];
    }

    /**
     * @param mixed[] $data as the library passes it; `maxAgeSeconds` is decided by the server instead
     */
    public function updateSummary(array $data): void
    {
        $objectives = [];
        foreach (self::list($data, 'quantiles') as $quantile) {
            $error = \min($quantile, 1 - $quantile) / self::OBJECTIVE_PART;
            /** @var numeric-string $text */
            $text = Series::text($quantile);
            $objectives[$text] = \round($error, 9);
        }
        $this->client->summary(self::text($data, 'name'), self::text($data, 'help'), self::labels($data), $objectives)
            ->observe(self::value($data));
    }

    /**
     * @param mixed[] $data as the library passes it
     */
    public function updateHistogram(array $data): void
    {
        // Every histogram has a bucket for the rest.
        $buckets = \array_values(\array_filter(self::list($data, 'buckets'), \is_finite(...)));
        $this->client->histogram(self::text($data, 'name'), self::text($data, 'help'), self::labels($data), $buckets)
            ->observe(self::value($data));
    }

    /**
     * @param mixed[] $data as the library passes it
     */
    public function updateGauge(array $data): void
    {
        $gauge = $this->client->gauge(self::text($data, 'name'), self::text($data, 'help'), self::labels($data));
        if (($data['command'] ?? null) === self::COMMAND_SET) {
            $gauge->set(self::value($data));
        } else {
            $gauge->add(self::value($data));
        }
    }

    /**
     * @param mixed[] $data as the library passes it
     */
    public function updateCounter(array $data): void
    {
        $counter = $this->client->counter(self::text($data, 'name'), self::text($data, 'help'), self::labels($data));
        if (($data['command'] ?? null) === self::COMMAND_SET) {
            // That is a reset to 0 for the library, whatever the value. What Pushprom counts never falls, and
            // rate() means the same by both, so the series is there and that is all.
            $counter->declare();
        } else {
            $counter->add(self::value($data));
        }
    }

    /**
     * Does nothing: what was sent is not ours to delete, since other processes have added to it, and to let
     * go of the rest alone would leave totals that mean nothing. The API for operators deletes series.
     */
    public function wipeStorage(): void
    {
    }

    /**
     * @param mixed[] $data
     */
    private static function text(array $data, string $field): string
    {
        $text = $data[$field] ?? '';

        return \is_string($text) ? $text : '';
    }

    /**
     * @param mixed[] $data
     * @return int|float not a number if it is none, which the client counts as lost
     */
    private static function value(array $data): int|float
    {
        $value = $data['value'] ?? null;

        return \is_numeric($value) ? $value + 0 : \NAN;
    }

    /**
     * @param mixed[] $data
     * @return list<int|float>
     */
    private static function list(array $data, string $field): array
    {
        $list = [];
        foreach ((array) ($data[$field] ?? []) as $number) {
            if (\is_numeric($number)) {
                $list[] = $number + 0;
            }
        }

        return $list;
    }

    /**
     * @param mixed[] $data
     * @return array<mixed> values by name; values alone, which the client counts as lost, if they do not fit
     */
    private static function labels(array $data): array
    {
        $names = (array) ($data['labelNames'] ?? []);
        $values = \array_values((array) ($data['labelValues'] ?? []));

        return \count($names) === \count($values) ? \array_combine($names, $values) : $values + ['?'];
    }
}
