<?php

declare(strict_types=1);

namespace Pushprom\Transport;

/**
 * Calls functions of PHP that warn when something is not there. An `@` would not do: handlers of errors are
 * called all the same, and some throw.
 *
 * @internal
 */
final class Quiet
{
    /**
     * @template T
     * @param callable(): T $work
     * @param string $warning what it warned of first, if it did: the cause comes before what follows from it
     * @return T
     */
    public static function call(callable $work, ?string &$warning = null): mixed
    {
        \set_error_handler(static function (int $level, string $message) use (&$warning): bool {
            $warning ??= $message;

            return true;
        });
        try {
            return $work();
        } finally {
            \restore_error_handler();
        }
    }
}
