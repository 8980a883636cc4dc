<?php

declare(strict_types=1);

namespace Pushprom;

/**
 * Runs what must not harm its surroundings: an application has its response, and a worker its job, whatever
 * becomes of what is told about them.
 *
 * @internal
 */
final class Attempt
{
    /**
     * @template T
     * @param \Closure(): T $work
     * @return T|null null if it throws
     */
    public static function at(\Closure $work): mixed
    {
        try {
            return $work();
        } catch (\Throwable) {
            return null;
        }
    }
}
