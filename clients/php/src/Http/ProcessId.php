<?php

declare(strict_types=1);

namespace Pushprom\Http;

/**
 * Tells a process from those that it forked off.
 *
 * @internal
 */
final class ProcessId
{
    /**
     * @return int 0 for all where there is nothing that forks, or where PHP may not tell: lists of what to disable
     *     in php.ini often have getmypid
     */
    public static function current(): int
    {
        $forks = \function_exists('pcntl_fork')
            || \extension_loaded('swoole')
            || \extension_loaded('openswoole');

        return $forks && \function_exists('getmypid') ? (int) \getmypid() : 0;
    }
}
