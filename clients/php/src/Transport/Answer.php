<?php

declare(strict_types=1);

namespace Pushprom\Transport;

use Pushprom\Reason;

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
     * Why the request has to be sent again; null if it was answered for good, well or not.
     */
    public function again(): ?Reason
    {
        return match (true) {
            $this->timedOut => Reason::Timeout,
            $this->status === 0 => Reason::Unreachable,
            \in_array($this->status, [408, 429, 502, 503, 504], true) => Reason::Unavailable,
            default => null,
        };
    }

    /**
     * It in one line, for a logger.
     */
    public function line(): string
    {
        return \rtrim(($this->status === 0 ? '' : "$this->status ") . self::inOneLine($this->body));
    }

    public static function inOneLine(string $text): string
    {
        return \trim((string) \preg_replace('/[\x00-\x1f\x7f]+/', ' ', \substr($text, 0, 200)));
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
