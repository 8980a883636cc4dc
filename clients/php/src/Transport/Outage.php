<?php

declare(strict_types=1);

namespace Pushprom\Transport;

use Pushprom\Clock;
use Pushprom\Reason;

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

    private const NANOSECONDS = 1_000_000_000;

    private ?Reason $reason = null;

    private int $seconds = 0;

    private int $beganNanoseconds = 0;

    private readonly bool $shared;

    /** Where the processes of a pool share it. */
    private readonly string $key;

    /** Whether this process finds out for the others how things are. */
    private bool $tries = false;

    /**
     * @param string ...$whom of what it is: for whom all of that is the same, it is the same outage
     */
    public function __construct(string ...$whom)
    {
        $this->shared = \function_exists('apcu_enabled') && \apcu_enabled();
        // A digest, because there may be credentials among it.
        $this->key = $this->shared ? 'pushprom:outage:' . \hash('sha256', \implode("\0", $whom)) : '';
    }

    /**
     * Why it is too early to try again; null if it is not.
     */
    public function reason(): ?Reason
    {
        return $this->within($this->seconds) ?? $this->ofOthers();
    }

    /**
     * The same for an attempt that is the last one of its process, which need not wait as long.
     */
    public function reasonAtEnd(): ?Reason
    {
        return $this->within(self::FIRST_SECONDS) ?? $this->ofOthers();
    }

    /**
     * @param int $askedSeconds for how long the server wants to be left alone
     */
    public function begin(Reason $reason, int $askedSeconds = 0): void
    {
        $asked = \min(self::LONGEST_SECONDS, \max(self::FIRST_SECONDS, $askedSeconds));
        $this->seconds = \min(self::LONGEST_SECONDS, \max($asked, 2 * $this->seconds));
        $this->reason = $reason;
        $this->beganNanoseconds = Clock::nanoseconds();
        $this->tries = false;
        if ($this->shared) {
            $this->share($reason->value, $asked);
        }
    }

    public function end(): void
    {
        $this->reason = null;
        $this->seconds = 0;
        if ($this->tries) {
            $this->tries = false;
            \apcu_delete($this->key);
        }
    }

    private function within(int $seconds): ?Reason
    {
        return Clock::nanoseconds() - $this->beganNanoseconds < $seconds * self::NANOSECONDS ? $this->reason : null;
    }

    private function ofOthers(): ?Reason
    {
        if (!$this->shared || $this->tries) {
            return null;
        }
        $known = \apcu_fetch($this->key);
        if (!\is_array($known)) {
            return null;
        }
        /** @var array{string, int} $known as share() stores it */
        [$reason, $untilNanoseconds] = $known;
        if (Clock::nanoseconds() >= $untilNanoseconds) {
            // The first that comes then tries, and the others wait for how that goes: not a whole pool at once.
            $this->tries = true;
            $this->share($reason, self::FIRST_SECONDS);

            return null;
        }

        return Reason::tryFrom($reason);
    }

    private function share(string $reason, int $seconds): void
    {
        $until = Clock::nanoseconds() + $seconds * self::NANOSECONDS;
        // It warns when its memory is full.
        Quiet::call(fn () => \apcu_store($this->key, [$reason, $until], $seconds + self::LONGEST_SECONDS));
    }
}
