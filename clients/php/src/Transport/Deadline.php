<?php

declare(strict_types=1);

namespace Pushprom\Transport;

use Pushprom\Clock;

/**
 * A moment after which nothing is waited for.
 *
 * @internal
 */
final class Deadline
{
    private function __construct(private readonly int $atNanoseconds)
    {
    }

    public static function in(int $milliseconds): self
    {
        return new self(Clock::nanoseconds() + $milliseconds * 1_000_000);
    }

    public function leftMs(): int
    {
        return \max(0, \intdiv($this->atNanoseconds - Clock::nanoseconds(), 1_000_000));
    }

    public function isOver(): bool
    {
        return Clock::nanoseconds() >= $this->atNanoseconds;
    }

    public function leftSeconds(): float
    {
        return \max(0.001, ($this->atNanoseconds - Clock::nanoseconds()) / 1e9);
    }

    /**
     * Waits until something can be written; looks once if the time is over.
     *
     * @param resource $stream
     * @return bool whether it can, in time
     */
    public function waitToWrite($stream): bool
    {
        $read = [];
        $write = [$stream];

        return $this->wait($read, $write);
    }

    /**
     * Waits until something can be read; looks once if the time is over.
     *
     * @param resource $stream
     * @return bool whether it can, in time
     */
    public function waitToRead($stream): bool
    {
        $read = [$stream];
        $write = [];

        return $this->wait($read, $write);
    }

    /**
     * @param array<resource> $read
     * @param array<resource> $write
     */
    private function wait(array $read, array $write): bool
    {
        $left = $this->leftMs();
        $except = [];
        $ready = Quiet::call(
            static fn () => \stream_select($read, $write, $except, \intdiv($left, 1000), $left % 1000 * 1000)
        );
        if ($ready === false) {
            // A signal ends the wait early, and a process with very many open files cannot wait: trying again is
            // right, but not without a breath.
            \usleep(1_000);
        }

        return $ready !== 0;
    }
}
