<?php

declare(strict_types=1);

namespace Pushprom\Http;

use Pushprom\Client;
use Pushprom\ClientInterface;
use Pushprom\ProcessId;

/**
 * What is counted of HTTP requests, for every framework alike:
 *
 * - `http_requests_total{method,route,status}`, a counter;
 * - `http_request_duration_seconds{method,route}`, a histogram;
 * - `http_requests_in_flight`, a gauge, if it is asked for.
 *
 * The histogram has no label `status`, because each combination of labels makes a series for every bucket.
 */
final class RequestMetrics
{
    /** The label `route` of a request for which there is no route, so that paths never become labels. */
    public const UNMATCHED = 'unmatched';

    /** The label `method` of whatever is none of METHODS. */
    public const OTHER = 'OTHER';

    private const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT'];

    /** @var \SplObjectStorage<RunningRequest, null> */
    private \SplObjectStorage $running;

    /**
     * Those of this process that have begun a request, to be ended with it.
     *
     * @var \WeakMap<self, true>|null
     */
    private static ?\WeakMap $watched = null;

    /**
     * @param list<int|float> $buckets upper bounds in seconds; none means those of the server, 5 ms to 10 s
     * @param bool $inFlight whether to show how many requests are being handled, which takes a message of its
     *     own at the beginning of each
     */
    public function __construct(
        private readonly ClientInterface $client,
        private readonly array $buckets = [],
        private readonly bool $inFlight = false
    ) {
        /** @var \SplObjectStorage<RunningRequest, null> $running */
        $running = new \SplObjectStorage();
        $this->running = $running;
    }

    /**
     * A request begins. RunningRequest::end() counts it; a request that ends with its process, by exit() or by
     * a fatal error, is counted then.
     *
     * @param \Closure(): string $method tells its method, once it has ended
     * @param \Closure(): ?string $route tells the template of its route, once it has ended; null or '' if it
     *     has none
     */
    public function begin(\Closure $method, \Closure $route): RunningRequest
    {
        $request = new RunningRequest($this, $method, $route);
        $this->running->attach($request);
        $this->watchTheEnd();
        if ($this->inFlight) {
            $this->gauge(1);
            // One more and one less of the same flush would be nothing at all.
            $this->client->flush();
        }

        return $request;
    }

    /**
     * Whether a request is being handled, so that its response is still to come: not the time to send.
     */
    public function isRunning(): bool
    {
        return $this->running->count() > 0;
    }

    /**
     * @internal RunningRequest::end() calls it, once
     */
    public function count(RunningRequest $request, int $status, float $seconds): void
    {
        $this->running->detach($request);
        $method = $request->method();
        $labels = [
            'method' => \in_array($method, self::METHODS, true) ? $method : self::OTHER,
            'route' => $request->route() ?: self::UNMATCHED,
        ];
        $this->client->histogram(
            'http_request_duration_seconds',
            'Time from the arrival of a request to its response.',
            $labels,
            $this->buckets
        )->observe($seconds);
        $this->client->counter(
            'http_requests_total',
            'Requests that were handled.',
            $labels + ['status' => $status]
        )->inc();
        if ($this->inFlight) {
            $this->gauge(-1);
        }
    }

    private function gauge(int $change): void
    {
        $this->client->gauge('http_requests_in_flight', 'Requests that are being handled.')->add($change);
    }

    /**
     * One function for all of the process, however many an application makes one after the other; it holds none.
     */
    private function watchTheEnd(): void
    {
        if (self::$watched === null && \function_exists('register_shutdown_function')) {
            self::$watched = new \WeakMap();
            \register_shutdown_function(static function (): void {
                foreach (self::$watched ?? [] as $metrics => $there) {
                    $metrics->endAll();
                }
            });
        }
        if (self::$watched !== null) {
            self::$watched[$this] = true;
        }
    }

    private function endAll(): void
    {
        // Each that ends is detached.
        foreach (clone $this->running as $request) {
            // A process that was forked off while it was handled is not the one that answers it.
            if ($request->processId === ProcessId::current()) {
                $request->end(self::lastStatus());
            }
        }
    }

    /**
     * What the client of a request gets whose process ends in the middle.
     */
    private static function lastStatus(): int
    {
        $error = \function_exists('error_get_last') ? \error_get_last() : null;
        if ((($error['type'] ?? 0) & Client::FATAL) !== 0) {
            return 500;
        }
        // None under the command line, as with servers written in PHP, whose worker dies of an exit().
        $status = \function_exists('http_response_code') ? \http_response_code() : false;

        return \is_int($status) ? $status : 500;
    }
}
