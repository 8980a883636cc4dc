<?php

declare(strict_types=1);

namespace Pushprom;

use Pushprom\Metric\Counter;
use Pushprom\Metric\Gauge;
use Pushprom\Metric\Histogram;
use Pushprom\Metric\Summary;

/**
 * What an application counts with. Take this type for a parameter, so that tests can pass a
 * RecordingClient and a NullClient can stand where nothing is to be sent.
 *
 * None of these methods throws, warns or prints, whatever names, labels and values mean and whether or not Pushprom
 * is there. What cannot be sent is counted, see lost(). An argument of another type than is declared is PHP's own
 * TypeError, as everywhere.
 */
interface ClientInterface
{
    /**
     * A counter: what only goes up, such as requests served.
     *
     * @param string $name metric name; by convention it ends in `_total`
     * @param string $help what it counts, in a sentence
     * @param array<mixed> $labels label values by label name; scalars, null and objects with __toString() are
     *     sent as strings
     */
    public function counter(string $name, string $help = '', array $labels = []): Counter;

    /**
     * A gauge: what goes up and down, such as the length of a queue.
     *
     * @param string $name metric name, with its unit at the end
     * @param string $help what it shows, in a sentence
     * @param array<mixed> $labels as with counter()
     */
    public function gauge(string $name, string $help = '', array $labels = []): Gauge;

    /**
     * A histogram: how often a value was in which range, such as the time that requests took.
     *
     * @param string $name metric name, with its unit at the end, as in `http_request_duration_seconds`
     * @param string $help what is observed, in a sentence
     * @param array<mixed> $labels as with counter()
     * @param list<int|float> $buckets upper bounds, in increasing order, without infinity; none means those of
     *     the server, 5 ms to 10 s
     * @param bool $native whether to keep a native histogram, which needs no bounds
     */
    public function histogram(
        string $name,
        string $help = '',
        array $labels = [],
        array $buckets = [],
        bool $native = false
    ): Histogram;

    /**
     * A summary: the sum and the number of what was observed, and quantiles if they are asked for.
     *
     * @param string $name metric name, with its unit at the end
     * @param string $help what is observed, in a sentence
     * @param array<mixed> $labels as with counter()
     * @param array<numeric-string|int, int|float> $objectives allowed errors by quantile, as in `['0.99' => 0.001]`
     */
    public function summary(
        string $name,
        string $help = '',
        array $labels = [],
        array $objectives = []
    ): Summary;

    /**
     * Sends what has been gathered. It happens by itself at the end of the request; what runs on, such as a
     * worker, calls it after each job.
     *
     * @return bool whether nothing is left to send; false if Pushprom could not be reached or let nobody in, and
     *     what can be sent later is kept until then
     */
    public function flush(): bool;

    /**
     * How many deltas were lost in this process, by reason.
     *
     * @return array<string, int>
     */
    public function lost(): array;
}
