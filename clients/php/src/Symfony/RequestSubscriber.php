<?php

declare(strict_types=1);

namespace Pushprom\Symfony;

use Pushprom\ClientInterface;
use Pushprom\Http\RequestMetrics;
use Pushprom\Http\RunningRequest;
use Symfony\Component\EventDispatcher\EventSubscriberInterface;
use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\HttpKernel\Event\FinishRequestEvent;
use Symfony\Component\HttpKernel\Event\RequestEvent;
use Symfony\Component\HttpKernel\Event\ResponseEvent;
use Symfony\Component\HttpKernel\KernelEvents;

/**
 * Counts requests, and sends what was recorded once the response is out.
 *
 * The label `route` is the name of the route: the template would take a router that reads all routes again,
 * which production does without.
 */
final class RequestSubscriber implements EventSubscriberInterface
{
    /** Before and behind all other listeners. */
    private const FIRST = 4096;
    private const LAST = -4096;

    /** Symfony before 6.2 sends the body of a streamed response at -1024. */
    private const BEFORE_BODY = -1023;

    /** @var \WeakMap<Request, RunningRequest> */
    private \WeakMap $running;

    public function __construct(
        private readonly RequestMetrics $metrics,
        private readonly ClientInterface $client
    ) {
        $this->running = new \WeakMap();
    }

    /**
     * @return array<string, array{string, int}>
     */
    public static function getSubscribedEvents(): array
    {
        return [
            KernelEvents::REQUEST => ['begin', self::FIRST],
            KernelEvents::RESPONSE => ['end', self::BEFORE_BODY],
            KernelEvents::FINISH_REQUEST => ['endWithoutResponse', self::LAST],
            KernelEvents::TERMINATE => ['flush', self::LAST],
        ];
    }

    public function begin(RequestEvent $event): void
    {
        if (!$event->isMainRequest()) {
            return;
        }
        $request = $event->getRequest();
        $this->running[$request] = $this->metrics->begin(
            $request->getMethod(...),
            static fn (): ?string => $request->attributes->get('_route')
        );
    }

    /**
     * Of the request or, after an exception, of the page that says so.
     */
    public function end(ResponseEvent $event): void
    {
        $running = $this->running[$event->getRequest()] ?? null;
        $running?->end($event->getResponse()->getStatusCode());
    }

    /**
     * An exception that nobody has made a response of leaves the kernel after this.
     */
    public function endWithoutResponse(FinishRequestEvent $event): void
    {
        $running = $this->running[$event->getRequest()] ?? null;
        $running?->end(500);
        unset($this->running[$event->getRequest()]);
    }

    public function flush(): void
    {
        $this->client->flush();
    }
}
