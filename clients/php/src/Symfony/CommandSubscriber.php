<?php

declare(strict_types=1);

namespace Pushprom\Symfony;

use Pushprom\Attempt;
use Pushprom\ClientInterface;
use Pushprom\Console\CommandMetrics;
use Pushprom\Http\RequestMetrics;
use Symfony\Component\Console\Event\ConsoleTerminateEvent;
use Symfony\Component\EventDispatcher\EventSubscriberInterface;

/**
 * Counts commands, and sends what was recorded after each; but what runs within a request is sent with it, because
 * its response should not wait.
 */
final class CommandSubscriber implements EventSubscriberInterface
{
    /** Behind all other listeners. The event has no constant here, because an application may have no console. */
    private const LAST = -4096;

    public function __construct(
        private readonly CommandMetrics $metrics,
        private readonly RequestMetrics $requests,
        private readonly ClientInterface $client
    ) {
    }

    /**
     * @return array<string, array{string, int}>
     */
    public static function getSubscribedEvents(): array
    {
        return ['console.terminate' => ['end', self::LAST]];
    }

    public function end(ConsoleTerminateEvent $event): void
    {
        Attempt::at(function () use ($event): void {
            $name = $event->getCommand()?->getName() ?? CommandMetrics::UNKNOWN;
            $this->metrics->count($name, $event->getExitCode());
            if (!$this->requests->isRunning()) {
                $this->client->flush();
            }
        });
    }
}
