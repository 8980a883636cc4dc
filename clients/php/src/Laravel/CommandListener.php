<?php

declare(strict_types=1);

namespace Pushprom\Laravel;

use Illuminate\Console\Events\CommandFinished;
use Pushprom\ClientInterface;
use Pushprom\Console\CommandMetrics;

/**
 * Counts commands, and sends what was recorded after each.
 */
final class CommandListener
{
    /** Methods by the event that they listen to. */
    public const EVENTS = [CommandFinished::class => 'end'];

    public function __construct(
        private readonly CommandMetrics $metrics,
        private readonly ClientInterface $client
    ) {
    }

    public function end(CommandFinished $event): void
    {
        // Artisan lists its commands if it is given none.
        $this->metrics->count($event->command ?: 'list', $event->exitCode);
        $this->client->flush();
    }
}
