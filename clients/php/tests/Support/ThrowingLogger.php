<?php

declare(strict_types=1);

namespace Pushprom\Tests\Support;

use Psr\Log\AbstractLogger;

/**
 * A logger that fails when it is told something by the client; what frameworks tell it is let go.
 */
final class ThrowingLogger extends AbstractLogger
{
    /** How often the client told it something. */
    public int $told = 0;

    /**
     * @param mixed $level
     * @param string|\Stringable $message
     * @param array<mixed> $context
     */
    public function log($level, $message, array $context = []): void
    {
        if (str_starts_with((string) $message, 'pushprom: ')) {
            $this->told += 1;
            throw new \RuntimeException('the disk is full');
        }
    }
}
