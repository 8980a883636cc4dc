<?php

declare(strict_types=1);

namespace Pushprom;

/**
 * Signals of the process, where the application has handlers for them.
 *
 * @internal
 */
final class Signals
{
    /**
     * Whether a handler may be called at any time.
     */
    public static function mayCome(): bool
    {
        return \function_exists('pcntl_async_signals') && \pcntl_async_signals();
    }

    /**
     * Holds signals back until something is done: a handler that throws or exits in the middle would leave open what
     * has been sent, and one that records or flushes would change what is being changed. After that they are handled
     * as ever, and what a handler throws reaches the application.
     *
     * @template T
     * @param callable(): T $work
     * @return T
     */
    public static function heldDuring(callable $work): mixed
    {
        if (!self::mayCome()) {
            return $work();
        }
        \pcntl_async_signals(false);
        try {
            return $work();
        } finally {
            \pcntl_async_signals(true);
            \pcntl_signal_dispatch();
        }
    }
}
