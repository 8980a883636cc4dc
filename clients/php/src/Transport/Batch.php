<?php

declare(strict_types=1);

namespace Pushprom\Transport;

use Pushprom\Clock;

/**
 * Deltas that are sent together, as often as it takes, and count once: all attempts have the same key and the
 * same body.
 *
 * @internal
 */
final class Batch
{
    public readonly string $key;

    public readonly string $body;

    public readonly int $madeNanoseconds;

    /**
     * @param non-empty-list<string> $deltas
     */
    public function __construct(public readonly array $deltas)
    {
        $this->key = \bin2hex(\random_bytes(16));
        $this->body = \implode("\n", $deltas);
        $this->madeNanoseconds = Clock::nanoseconds();
    }

    public function size(): int
    {
        return \count($this->deltas);
    }

    public function ageSeconds(): int
    {
        return \intdiv(Clock::nanoseconds() - $this->madeNanoseconds, 1_000_000_000);
    }
}
