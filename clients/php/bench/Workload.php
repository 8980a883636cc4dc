<?php

declare(strict_types=1);

namespace Pushprom\Bench;

use Pushprom\Client;
use Pushprom\Tests\Support\Page;

/**
 * What a request of a web shop records: 20 deltas to 10 series. 8 times `inc` to 4 of them, 4 times `add` to 2, two
 * gauges that are set, and 6 observations in 2 histograms.
 */
final class Workload
{
    /** Of each metric, by what is summed up of it, how much a request adds. */
    private const TOTALS = [
        'http_requests_total' => 1.0,
        'cache_requests_total' => 4.0,
        'db_queries_total' => 3.0,
        'db_rows_total' => 35.0,
        'revenue_euros_total' => 19.5,
        'db_query_seconds_count' => 4.0,
        'api_call_seconds_count' => 2.0,
    ];

    private const GAUGES = ['queue_length' => 7.0, 'memory_peak_bytes' => 6_291_456.0];

    private const BUCKETS = [0.001, 0.01, 0.1, 1];

    public static function record(Client|OldClient $client): void
    {
        $client->counter('http_requests_total', 'Requests.', ['route' => '/orders/{id}', 'status' => 200])->inc();
        for ($i = 0; $i < 3; $i++) {
            $client->counter('cache_requests_total', 'Look-ups.', ['cache' => 'orders', 'found' => 'yes'])->inc();
            $client->counter('db_queries_total', 'Queries.', ['kind' => 'select'])->inc();
        }
        $client->counter('cache_requests_total', 'Look-ups.', ['cache' => 'orders', 'found' => 'no'])->inc();
        foreach ([12, 1, 22] as $rows) {
            $client->counter('db_rows_total', 'Rows read.', ['table' => 'orders'])->add($rows);
        }
        $client->counter('revenue_euros_total', 'Revenue.', ['shop' => 'berlin'])->add(19.5);
        $client->gauge('queue_length', 'Jobs.', ['queue' => 'mail'])->set(7);
        $client->gauge('memory_peak_bytes', 'Memory.')->set(6_291_456);
        foreach ([0.00123, 0.0407, 0.000917, 0.00338] as $seconds) {
            $client->histogram('db_query_seconds', 'Queries.', ['kind' => 'select'], self::BUCKETS)->observe($seconds);
        }
        foreach ([0.0823, 0.117] as $seconds) {
            $client->histogram('api_call_seconds', 'Calls.', ['host' => 'payments'], self::BUCKETS)->observe($seconds);
        }
    }

    /**
     * What is not on the page as it should be after so many requests; none if all has arrived.
     *
     * @param string $app of the constant labels, which is the first by name on the page
     * @return list<string>
     */
    public static function missing(Page $page, string $app, int $requests): array
    {
        $expected = self::GAUGES;
        foreach (self::TOTALS as $name => $amount) {
            $expected[$name] = $amount * $requests;
        }
        $missing = [];
        foreach ($expected as $name => $value) {
            $there = $page->sum("{$name}{app=\"$app\"");
            if ($there !== $value) {
                $missing[] = "$name of $app is $there and should be $value";
            }
        }

        return $missing;
    }
}
