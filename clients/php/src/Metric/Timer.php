<?php

declare(strict_types=1);

namespace Pushprom\Metric;

use Pushprom\Clock;

/**
 * Measures time from when it is made, by a clock that nobody sets.
 */
final class Timer
{
    private readonly int $startNanoseconds;

    private ?float $seconds = null;

    /**
     * @internal Observed::timer() makes them
     */
    public function __construct(private readonly Observed $metric)
    {
        $this->startNanoseconds = Clock::nanoseconds();
    }

    /**
     * Observes the time since the start. Only the first call does.
     *
     * @return float that time, in seconds
     */
    public function stop(): float
    {
        if ($this->seconds === null) {
            $this->seconds = (Clock::nanoseconds() - $this->startNanoseconds) / 1e9;
            $this->metric->observe($this->seconds);
        }

        return $this->seconds;
    }
}
