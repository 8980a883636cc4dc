<?php

declare(strict_types=1);

namespace Pushprom\Transport;

/**
 * What a server said, or why it said nothing.
 *
 * @internal
 */
final class Answer
{
    private function __construct(
        public readonly int $status,
        public readonly string $body,
        public readonly ?int $retryAfterSeconds,
        public readonly bool $timedOut
    ) {
    }

    public static function of(int $status, string $body, ?int $retryAfterSeconds): self
    {
        return new self($status, $body, $retryAfterSeconds, false);
    }

    /**
     * Nobody answered, for a reason.
     */
    public static function none(string $reason): self
    {
        return new self(0, $reason, null, false);
    }

    /**
     * Nobody answered in time. The request may have been taken.
     */
    public static function late(string $reason): self
    {
        return new self(0, $reason, null, true);
    }
}
