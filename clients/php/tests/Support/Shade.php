<?php

declare(strict_types=1);

namespace Pushprom\Tests\Support;

/**
 * An enum whose cases have no values.
 */
enum Shade
{
    case Dark;
}
