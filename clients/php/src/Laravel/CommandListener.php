<?php

declare(strict_types=1);

namespace Pushprom\Laravel;

use Illuminate\Console\Events\CommandFinished;
use Pushprom\ClientInterface;
use Pushprom\Console\CommandMetrics;
use Pushprom\Http\RequestMetrics;

/**
 * Counts commands, and sends what was recorded after each; but what runs within a request is sent with it, because
 * its response should not wait.
 */
final class CommandListener
{
    /** Methods by the event that they listen to. */
    public const EVENTS = [CommandFinished::class => 'end'];

    public function __construct(
        private readonly CommandMetrics $metrics,
        private readonly CommandNames $names,
        private readonly RequestMetrics $requests,
        private readonly ClientInterface $client
    ) {
    }

    public function end(CommandFinished $event): void
    {
        // Artisan lists its commands if it is given none.
        $this->metrics->count($this->names->of($event->command ?: 'list'), $event->exitCode);
        if (!$this->requests->isRunning()) {
            $this->client->flush();
        }
    }
}
