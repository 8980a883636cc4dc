<?php

declare(strict_types=1);

namespace Pushprom\Metric;

use Pushprom\Method;
use Pushprom\Recorder;
use Pushprom\Series;

/**
 * What values are observed of: a histogram or a summary.
 */
abstract class Observed
{
    /**
     * @internal ClientInterface::histogram() and summary() make them
     */
    final public function __construct(private readonly Recorder $recorder, private readonly Series $series)
    {
    }

    /**
     * Takes a value, such as the time that something took.
     *
     * @param int|float $value a finite number; anything else is counted as lost
     */
    public function observe(int|float $value): void
    {
        $this->recorder->record($this->series, Method::Observe, $value);
    }

    /**
     * Starts to measure time. Timer::stop() observes it, in seconds.
     */
    public function timer(): Timer
    {
        return new Timer($this);
    }

    /**
     * Runs something and observes how long it took, in seconds, whether it returns or throws.
     *
     * @template T
     * @param callable(): T $work
     * @return T
     */
    public function time(callable $work): mixed
    {
        $timer = $this->timer();
        try {
            return $work();
        } finally {
            $timer->stop();
        }
    }

    /**
     * Shows the series, with nothing observed, if there is none yet.
     */
    public function declare(): void
    {
        $this->recorder->record($this->series, Method::Declare);
    }
}
