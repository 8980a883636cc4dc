<?php

declare(strict_types=1);

namespace Pushprom\Tests\Support;

use Psr\Log\AbstractLogger;

/**
 * A logger that fails.
 */
final class ThrowingLogger extends AbstractLogger
{
    /** How often it was told something. */
    public int $told = 0;

    /**
     * @param mixed $level
     * @param string|\Stringable $message
     * @param array<mixed> $context
     */
    public function log($level, $message, array $context = []): void
    {
        $this->told += 1;
        throw new \RuntimeException('the disk is full');
    }
}
