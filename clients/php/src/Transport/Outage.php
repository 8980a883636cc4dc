<?php

declare(strict_types=1);

namespace Pushprom\Transport;

/**
 * Remembers that a server is not there, so that not everybody waits for it: this process, and with the
 * extension APCu all processes of a pool. Without it, each request of PHP-FPM would find out by itself, at the
 * price of a timeout that its worker spends.
 *
 * @internal
 */
final class Outage
{
    /** How long nobody tries after a failure; twice as long after each further one of this process. */
    private const FIRST_SECONDS = 1;
    private const LONGEST_SECONDS = 16;

    private int $seconds = 0;

    private int $untilNanoseconds = 0;

    private readonly string $key;

    private readonly bool $shared;

    public function __construct(string $endpoint)
    {
        $this->key = "pushprom:outage:$endpoint";
        $this->shared = \function_exists('apcu_enabled') && \apcu_enabled();
    }

    /**
     * Whether it is too early to try again.
     */
    public function isOn(): bool
    {
        return \hrtime(true) < $this->untilNanoseconds || ($this->shared && \apcu_exists($this->key));
    }

    public function begin(): void
    {
        $this->seconds = \min(self::LONGEST_SECONDS, \max(self::FIRST_SECONDS, 2 * $this->seconds));
        $this->untilNanoseconds = \hrtime(true) + $this->seconds * 1_000_000_000;
        if ($this->shared) {
            \apcu_store($this->key, 1, self::FIRST_SECONDS);
        }
    }

    public function end(): void
    {
        $this->seconds = 0;
        $this->untilNanoseconds = 0;
    }
}
