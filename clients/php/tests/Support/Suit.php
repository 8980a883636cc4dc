<?php

declare(strict_types=1);

namespace Pushprom\Tests\Support;

/**
 * Values of a label that is an enum.
 */
enum Suit: string
{
    case Hearts = 'hearts';
}
