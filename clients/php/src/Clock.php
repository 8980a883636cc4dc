<?php

declare(strict_types=1);

namespace Pushprom;

/**
 * What time is measured by.
 *
 * @internal
 */
final class Clock
{
    /**
     * By a clock that nobody sets; or by the time of day, if disable_functions of php.ini has that one.
     */
    public static function nanoseconds(): int
    {
        return \function_exists('hrtime') ? (int) \hrtime(true) : (int) (\microtime(true) * 1e9);
    }
}
