<?php

declare(strict_types=1);

namespace Pushprom;

/**
 * Does nothing with what it is given: for where nothing is to be sent.
 */
final class NullClient extends Recorder
{
    public function record(Series $series, Method $method, int|float $value = 0): void
    {
    }

    public function flush(): bool
    {
        return true;
    }

    public function lost(): array
    {
        return [];
    }
}
