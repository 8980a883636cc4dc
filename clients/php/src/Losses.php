<?php

declare(strict_types=1);

namespace Pushprom;

use Psr\Log\LoggerInterface;

/**
 * Counts deltas that were lost, by reason, and tells a logger.
 *
 * @internal
 */
final class Losses
{
    /** Lines a minute in a process; more of them say nothing new. */
    private const LINES_A_MINUTE = 10;

    /** @var array<string, int> */
    private array $deltas = [];

    /** @var array<string, int> */
    private array $reported = [];

    private int $lines = 0;

    private int $minute = 0;

    /** @var (\Closure(string): mixed)|null */
    private readonly ?\Closure $logger;

    /**
     * @param LoggerInterface|(\Closure(string): mixed)|null $logger
     */
    public function __construct(LoggerInterface|\Closure|null $logger = null)
    {
        $this->logger = $logger instanceof LoggerInterface ? $logger->warning(...) : $logger;
    }

    public function add(Reason $reason, int $deltas, string $message): void
    {
        $this->deltas[$reason->value] = ($this->deltas[$reason->value] ?? 0) + $deltas;
        $this->tell("$deltas lost ($reason->value): $message");
    }

    /**
     * Says what went wrong, without a loss.
     */
    public function tell(string $message): void
    {
        if ($this->logger === null) {
            return;
        }
        $minute = \intdiv(\time(), 60);
        if ($minute !== $this->minute) {
            $this->minute = $minute;
            $this->lines = 0;
        }
        $this->lines += 1;
        if ($this->lines > self::LINES_A_MINUTE) {
            return;
        }
        try {
            ($this->logger)("pushprom: $message");
        } catch (\Throwable) {
            // A logger that fails is no reason for the application to fail.
        }
    }

    /**
     * @return array<string, int>
     */
    public function all(): array
    {
        return $this->deltas;
    }

    /**
     * What has been lost since the last call, by reason.
     *
     * @return array<string, int>
     */
    public function takeNew(): array
    {
        $new = [];
        foreach ($this->deltas as $reason => $deltas) {
            $more = $deltas - ($this->reported[$reason] ?? 0);
            if ($more > 0) {
                $new[$reason] = $more;
            }
        }
        $this->reported = $this->deltas;

        return $new;
    }
}
