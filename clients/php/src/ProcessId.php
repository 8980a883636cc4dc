<?php

declare(strict_types=1);

namespace Pushprom;

/**
 * Tells a process from those that it forked off.
 *
 * @internal
 */
final class ProcessId
{
    /**
     * @return int 0 for all where there is nothing that forks, as in PHP-FPM, which does before it runs anything of
     *     ours; and where PHP may not tell
     */
    public static function current(): int
    {
        $forks = \function_exists('pcntl_fork')
            || \extension_loaded('swoole')
            || \extension_loaded('openswoole');

        if (!$forks) {
            return 0;
        }
        // Lists of what to disable in php.ini often have it.
        if (\function_exists('getmypid')) {
            return (int) \getmypid();
        }

        return \function_exists('posix_getpid') ? \posix_getpid() : 0;
    }
}
