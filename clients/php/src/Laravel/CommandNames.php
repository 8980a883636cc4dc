<?php

declare(strict_types=1);

namespace Pushprom\Laravel;

use Illuminate\Console\Application;
use Illuminate\Console\Events\ArtisanStarting;
use Pushprom\Attempt;
use Pushprom\Console\CommandMetrics;

/**
 * Tells the name of a command, for which an abbreviation or an alias may have been typed.
 */
final class CommandNames
{
    /** Methods by the event that they listen to. */
    public const EVENTS = [ArtisanStarting::class => 'remember'];

    private ?Application $artisan = null;

    public function remember(ArtisanStarting $event): void
    {
        $this->artisan = $event->artisan;
    }

    public function of(string $typed): string
    {
        return Attempt::at(fn (): ?string => $this->artisan?->find($typed)->getName()) ?? CommandMetrics::UNKNOWN;
    }
}
