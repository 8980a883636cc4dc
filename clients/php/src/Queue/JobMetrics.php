<?php

declare(strict_types=1);

namespace Pushprom\Queue;

use Pushprom\ClientInterface;
use Pushprom\Clock;

/**
 * What is counted of jobs that workers take from queues, for every framework alike. An attempt counts once:
 *
 * - `queue_jobs_total{queue,job,result}`, a counter;
 * - `queue_job_duration_seconds{queue,job}`, a histogram.
 */
final class JobMetrics
{
    /** Upper bounds in seconds: jobs are what takes too long for a request. */
    public const BUCKETS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600];

    /** The label `job` of one whose name nobody can tell. */
    public const UNKNOWN = 'unknown';

    /** @var \WeakMap<object, int> when each began, in nanoseconds */
    private \WeakMap $began;

    public function __construct(private readonly ClientInterface $client)
    {
        $this->began = new \WeakMap();
    }

    /**
     * @param object $job the same that end() is called with
     */
    public function begin(object $job): void
    {
        $this->began[$job] = Clock::nanoseconds();
    }

    /**
     * Counts an attempt that has begun. Only the first call does.
     *
     * @param string $queue where it was taken from
     * @param string $name of what has few values, such as its class
     */
    public function end(object $job, string $queue, string $name, Result $result): void
    {
        $began = $this->began[$job] ?? null;
        if ($began === null) {
            return;
        }
        unset($this->began[$job]);
        $labels = ['queue' => $queue, 'job' => $name];
        $this->client->histogram(
            'queue_job_duration_seconds',
            'Time of an attempt at a job.',
            $labels,
            self::BUCKETS
        )->observe((Clock::nanoseconds() - $began) / 1e9);
        $this->client->counter(
            'queue_jobs_total',
            'Attempts at jobs, by how they ended.',
            $labels + ['result' => $result->value]
        )->inc();
    }

    /**
     * Those that have begun and not ended.
     *
     * @return list<object>
     */
    public function running(): array
    {
        $running = [];
        foreach ($this->began as $job => $_) {
            $running[] = $job;
        }

        return $running;
    }
}
