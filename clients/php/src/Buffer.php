<?php

declare(strict_types=1);

namespace Pushprom;

/**
 * What has been recorded and not been sent, with all that happened to one series composed into one change.
 *
 * @internal
 */
final class Buffer
{
    /** @var array<string, Pending> */
    private array $pending = [];

    private int $size = 0;

    /** When the oldest of it was recorded. */
    private int $sinceNanoseconds = 0;

    /**
     * @param int $fullSize so many series and observations should not wait for more
     * @param int $oldNanoseconds nor should what is so old
     */
    public function __construct(
        private readonly int $fullSize = \PHP_INT_MAX,
        private readonly int $oldNanoseconds = \PHP_INT_MAX
    ) {
    }

    /**
     * @return string|null why it cannot be sent; nothing has changed then
     */
    public function record(Series $series, Method $method, int|float $value): ?string
    {
        if (!\is_finite($value)) {
            return \sprintf('%s of %s is no finite number', Series::text($value), $series->name);
        }
        if ($series->type === Type::Counter && $value < 0) {
            return \sprintf(
                '%s cannot go down by %s; a counter takes 0 or more, use a gauge',
                $series->name,
                Series::text(-$value)
            );
        }
        $pending = $this->pending[$series->key] ?? null;
        if ($pending === null) {
            if ($this->size === 0) {
                $this->sinceNanoseconds = Clock::nanoseconds();
            }
            $this->pending[$series->key] = new Pending($series, $method, $value);
            $this->size += 1;
        } elseif (!$pending->compose($method, $value)) {
            return \sprintf('%s more for %s is beyond all numbers', Series::text($value), $series->name);
        } elseif ($series->help !== '') {
            $pending->help = $series->help;
        }
        if ($method === Method::Observe) {
            $this->size += 1;
        }

        return null;
    }

    /**
     * Whether what is held should be sent, because it is much or old.
     */
    public function isDue(): bool
    {
        return $this->size >= $this->fullSize
            || Clock::nanoseconds() - $this->sinceNanoseconds >= $this->oldNanoseconds;
    }

    public function isFull(): bool
    {
        return $this->size >= $this->fullSize;
    }

    /**
     * Series and observations held.
     */
    public function size(): int
    {
        return $this->size;
    }

    /**
     * @param string $key of a series
     */
    public function find(string $key): ?Pending
    {
        return $this->pending[$key] ?? null;
    }

    /**
     * Everything, which goes on being held.
     *
     * @return list<Pending>
     */
    public function all(): array
    {
        return \array_values($this->pending);
    }

    /**
     * Everything, which is not held any more after that.
     *
     * @return list<Pending>
     */
    public function take(): array
    {
        $taken = $this->all();
        $this->pending = [];
        $this->size = 0;

        return $taken;
    }
}
