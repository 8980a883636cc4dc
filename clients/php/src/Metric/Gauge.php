<?php

declare(strict_types=1);

namespace Pushprom\Metric;

use Pushprom\Method;
use Pushprom\Recorder;
use Pushprom\Series;

/**
 * What goes up and down.
 */
final class Gauge
{
    /**
     * @internal ClientInterface::gauge() makes them
     */
    public function __construct(private readonly Recorder $recorder, private readonly Series $series)
    {
    }

    /**
     * Is so much now. Of several processes that set a gauge, the last one wins.
     *
     * @param int|float $value a finite number; anything else is counted as lost
     */
    public function set(int|float $value): void
    {
        $this->recorder->record($this->series, Method::Set, $value);
    }

    /**
     * One more.
     */
    public function inc(): void
    {
        $this->recorder->record($this->series, Method::Add, 1);
    }

    /**
     * One less.
     */
    public function dec(): void
    {
        $this->recorder->record($this->series, Method::Add, -1);
    }

    /**
     * So many more, or fewer if it is negative.
     *
     * @param int|float $value a finite number; anything else is counted as lost
     */
    public function add(int|float $value): void
    {
        $this->recorder->record($this->series, Method::Add, $value);
    }

    /**
     * So many fewer.
     *
     * @param int|float $value a finite number; anything else is counted as lost
     */
    public function sub(int|float $value): void
    {
        $this->recorder->record($this->series, Method::Add, -$value);
    }

    /**
     * Shows the series with 0 if nothing has happened to it yet.
     */
    public function declare(): void
    {
        $this->recorder->record($this->series, Method::Declare);
    }
}
