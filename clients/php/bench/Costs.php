<?php

declare(strict_types=1);

namespace Pushprom\Bench;

/**
 * What requests have cost a process of PHP, in microseconds, and how many deltas were lost.
 */
final class Costs
{
    public function __construct(
        public readonly float $user = 0,
        public readonly float $system = 0,
        public readonly float $recording = 0,
        public readonly float $flushing = 0,
        public readonly float $lost = 0
    ) {
    }

    /**
     * What CPU this process has used until now, as user and in the kernel.
     */
    public static function cpuUntilNow(): self
    {
        $usage = getrusage() ?: [];
        $microseconds = static fn (string $which): float
            => ($usage["ru_$which.tv_sec"] ?? 0) * 1e6 + ($usage["ru_$which.tv_usec"] ?? 0);

        return new self($microseconds('utime'), $microseconds('stime'));
    }

    /**
     * @param string $json as json_encode() writes one
     */
    public static function parse(string $json): self
    {
        /** @var array{user: float|int, system: float|int, recording: float|int, flushing: float|int, lost: float|int} */
        $costs = json_decode($json, true, flags: JSON_THROW_ON_ERROR);

        return new self(...$costs);
    }

    public function cpu(): float
    {
        return $this->user + $this->system;
    }

    public function plus(self $other, int $times = 1): self
    {
        return new self(
            $this->user + $times * $other->user,
            $this->system + $times * $other->system,
            $this->recording + $times * $other->recording,
            $this->flushing + $times * $other->flushing,
            $this->lost + $times * $other->lost
        );
    }
}
