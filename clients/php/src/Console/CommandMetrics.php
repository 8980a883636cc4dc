<?php

declare(strict_types=1);

namespace Pushprom\Console;

use Pushprom\ClientInterface;

/**
 * What is counted of commands, for every framework alike: `console_commands_total{command,exit_code}`.
 */
final class CommandMetrics
{
    /** The label `command` of one whose name nobody can tell. */
    public const UNKNOWN = 'unknown';

    public function __construct(private readonly ClientInterface $client)
    {
    }

    public function count(string $command, int $exitCode): void
    {
        $this->client->counter(
            'console_commands_total',
            'Commands that ended.',
            ['command' => $command, 'exit_code' => $exitCode]
        )->inc();
    }
}
