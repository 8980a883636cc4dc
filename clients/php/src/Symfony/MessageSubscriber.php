<?php

declare(strict_types=1);

namespace Pushprom\Symfony;

use Pushprom\Attempt;
use Pushprom\ClientInterface;
use Pushprom\Queue\JobMetrics;
use Pushprom\Queue\Result;
use Symfony\Component\EventDispatcher\EventSubscriberInterface;
use Symfony\Component\Messenger\Event\AbstractWorkerMessageEvent;
use Symfony\Component\Messenger\Event\WorkerMessageFailedEvent;
use Symfony\Component\Messenger\Event\WorkerMessageHandledEvent;
use Symfony\Component\Messenger\Event\WorkerMessageReceivedEvent;
use Symfony\Component\Messenger\Event\WorkerStoppedEvent;

/**
 * Counts messages that workers of Messenger handle, and sends what was recorded after each. Without Messenger
 * these are names of events that nobody dispatches.
 */
final class MessageSubscriber implements EventSubscriberInterface
{
    /** Behind all other listeners; one of them decides whether there is another attempt. */
    private const LAST = -4096;

    public function __construct(
        private readonly JobMetrics $metrics,
        private readonly ClientInterface $client
    ) {
    }

    /**
     * @return array<class-string, array{string, int}>
     */
    public static function getSubscribedEvents(): array
    {
        return [
            WorkerMessageReceivedEvent::class => ['begin', self::LAST],
            WorkerMessageHandledEvent::class => ['endHandled', self::LAST],
            WorkerMessageFailedEvent::class => ['endFailed', self::LAST],
            WorkerStoppedEvent::class => ['flush', self::LAST],
        ];
    }

    public function begin(WorkerMessageReceivedEvent $event): void
    {
        Attempt::at(fn () => $this->metrics->begin($event->getEnvelope()->getMessage()));
    }

    public function endHandled(WorkerMessageHandledEvent $event): void
    {
        $this->end($event, Result::Processed);
    }

    public function endFailed(WorkerMessageFailedEvent $event): void
    {
        $this->end($event, $event->willRetry() ? Result::Retry : Result::Failed);
    }

    public function flush(): void
    {
        Attempt::at($this->client->flush(...));
    }

    private function end(AbstractWorkerMessageEvent $event, Result $result): void
    {
        Attempt::at(function () use ($event, $result): void {
            $message = $event->getEnvelope()->getMessage();
            $this->metrics->end($message, $event->getReceiverName(), $message::class, $result);
        });
        $this->flush();
    }
}
