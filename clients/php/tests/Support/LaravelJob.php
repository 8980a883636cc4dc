<?php

declare(strict_types=1);

namespace Pushprom\Tests\Support;

use Illuminate\Bus\Queueable;
use Illuminate\Contracts\Events\Dispatcher;
use Illuminate\Contracts\Queue\ShouldQueue;
use Illuminate\Foundation\Bus\Dispatchable;
use Illuminate\Queue\Events\WorkerStopping;
use Illuminate\Queue\InteractsWithQueue;

/**
 * A job that ends as it is told to.
 */
final class LaravelJob implements ShouldQueue
{
    use Dispatchable;
    use InteractsWithQueue;
    use Queueable;

    public function __construct(private readonly string $end, public int $tries = 1)
    {
    }

    public function handle(Dispatcher $events): void
    {
        match ($this->end) {
            'return' => null,
            'throw', 'throw twice' => throw new \DomainException('no such pot'),
            'fail' => $this->fail(new \DomainException('no such pot')),
            'release once' => $this->attempts() === 1 ? $this->release() : null,
            // As a worker does that kills its process because a job takes too long.
            'stop' => $events->dispatch(new WorkerStopping(1)),
        };
    }

    /**
     * Laravel calls it when there is no other attempt.
     */
    public function failed(): void
    {
        if ($this->end === 'throw twice') {
            throw new \LogicException('no such report');
        }
    }
}
