<?php

declare(strict_types=1);

namespace Pushprom\Http;

use Pushprom\Attempt;
use Pushprom\Clock;
use Pushprom\ProcessId;

/**
 * A request that is being handled.
 */
final class RunningRequest
{
    /** @internal */
    public readonly int $processId;

    private readonly int $startNanoseconds;

    private bool $ended = false;

    /**
     * @internal RequestMetrics::begin() makes them
     *
     * @param \Closure(): string $method
     * @param \Closure(): ?string $route
     */
    public function __construct(
        private readonly RequestMetrics $metrics,
        private readonly \Closure $method,
        private readonly \Closure $route
    ) {
        $this->processId = ProcessId::current();
        $this->startNanoseconds = Clock::nanoseconds();
    }

    /**
     * Counts the request. Only the first call does.
     *
     * @param int $status of its response; 500 if there is an exception instead
     */
    public function end(int $status): void
    {
        if ($this->ended) {
            return;
        }
        $this->ended = true;
        $this->metrics->count($this, $status, (Clock::nanoseconds() - $this->startNanoseconds) / 1e9);
    }

    /**
     * Null if it cannot be told.
     *
     * @internal
     */
    public function method(): ?string
    {
        // Code of the application or its framework, as that of the route.
        return Attempt::at($this->method);
    }

    /**
     * The template of its route; null if there is none, or if it cannot be told.
     *
     * @internal
     */
    public function route(): ?string
    {
        return Attempt::at($this->route);
    }
}
