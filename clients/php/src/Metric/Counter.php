<?php

declare(strict_types=1);

namespace Pushprom\Metric;

use Pushprom\Method;
use Pushprom\Recorder;
use Pushprom\Series;

/**
 * What only goes up.
 */
final class Counter
{
    /**
     * @internal ClientInterface::counter() makes them
     */
    public function __construct(private readonly Recorder $recorder, private readonly Series $series)
    {
    }

    /**
     * One more.
     */
    public function inc(): void
    {
        $this->recorder->record($this->series, Method::Add, 1);
    }

    /**
     * So many more.
     *
     * @param int|float $value 0 or more; anything else is counted as lost
     */
    public function add(int|float $value): void
    {
        $this->recorder->record($this->series, Method::Add, $value);
    }

    /**
     * Shows the series with 0 if nothing has been added to it yet, so that its first increase is seen.
     */
    public function declare(): void
    {
        $this->recorder->record($this->series, Method::Declare);
    }
}
