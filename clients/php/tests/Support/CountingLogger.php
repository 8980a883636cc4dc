<?php

declare(strict_types=1);

namespace Pushprom\Tests\Support;

use Psr\Log\AbstractLogger;
use Pushprom\ClientInterface;

/**
 * A logger that counts its lines with the client, which tells its losses to the logger.
 */
final class CountingLogger extends AbstractLogger
{
    /** @var list<string> what the client told it */
    public array $told = [];

    public function __construct(private readonly ClientInterface $client)
    {
    }

    /**
     * @param mixed $level
     * @param string|\Stringable $message
     * @param array<mixed> $context
     */
    public function log($level, $message, array $context = []): void
    {
        $this->client->counter('log_lines_total', '', ['level' => $level])->inc();
        if (str_starts_with((string) $message, 'pushprom: ')) {
            $this->told[] = "$level: $message";
        }
    }
}
