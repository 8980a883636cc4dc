<?php

declare(strict_types=1);

namespace Pushprom\Tests\Support;

/**
 * Waits for a condition.
 */
final class Wait
{
    private const SECONDS = 20;

    /**
     * @template T
     * @param callable(): (T|null|false) $condition
     * @return T what it returned, once that is something
     */
    public static function for(string $what, callable $condition): mixed
    {
        $end = hrtime(true) + self::SECONDS * 1_000_000_000;
        while (hrtime(true) < $end) {
            $value = $condition();
            if ($value !== null && $value !== false) {
                return $value;
            }
            usleep(2_000);
        }
        throw new \RuntimeException('waited ' . self::SECONDS . " s for $what");
    }
}
