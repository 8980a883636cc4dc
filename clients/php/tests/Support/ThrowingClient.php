<?php

declare(strict_types=1);

namespace Pushprom\Tests\Support;

use Pushprom\Method;
use Pushprom\Recorder;
use Pushprom\Series;

/**
 * A client of an application that does not keep to its interface.
 */
final class ThrowingClient extends Recorder
{
    public function record(Series $series, Method $method, int|float $value = 0): void
    {
        throw new \LogicException('no such pot');
    }

    public function flush(): bool
    {
        throw new \LogicException('no such pot');
    }

    public function lost(): array
    {
        return [];
    }
}
