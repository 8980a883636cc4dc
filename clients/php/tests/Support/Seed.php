<?php

declare(strict_types=1);

namespace Pushprom\Tests\Support;

/**
 * What happens in a random test follows from a number, which a failure names: `PUSHPROM_SEED=n` runs that one alone,
 * `PUSHPROM_SEEDS=n` so many, from any on.
 */
final class Seed
{
    private const TRIES = 300;

    /**
     * @param callable(): void $test with numbers of mt_rand()
     */
    public static function each(callable $test): void
    {
        $only = getenv('PUSHPROM_SEED');
        $first = $only === false ? random_int(0, 1_000_000_000) : (int) $only;
        $tries = $only === false ? (int) (getenv('PUSHPROM_SEEDS') ?: self::TRIES) : 1;
        for ($seed = $first; $seed < $first + $tries; $seed++) {
            mt_srand($seed);
            try {
                $test();
            } catch (\Throwable $error) {
                fwrite(STDERR, "\nfailed with PUSHPROM_SEED=$seed\n");
                throw $error;
            }
        }
    }
}
