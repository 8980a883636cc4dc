<?php

declare(strict_types=1);

namespace Pushprom\Tests\Support;

final class SymfonyMessage
{
    /**
     * @param string $end how its handling ends
     */
    public function __construct(public readonly string $end)
    {
    }
}
