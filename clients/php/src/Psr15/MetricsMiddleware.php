<?php

declare(strict_types=1);

namespace Pushprom\Psr15;

use Psr\Http\Message\ResponseInterface;
use Psr\Http\Message\ServerRequestInterface;
use Psr\Http\Server\MiddlewareInterface;
use Psr\Http\Server\RequestHandlerInterface;
use Pushprom\Http\RequestMetrics;

/**
 * Counts requests. It belongs around all others, the one that makes responses of exceptions among them, and
 * a RouteTemplateMiddleware behind the router tells it the route. Within another one it does nothing.
 */
final class MetricsMiddleware implements MiddlewareInterface
{
    /** @var \Closure(ServerRequestInterface): ?string */
    private readonly \Closure $template;

    /**
     * @param (callable(ServerRequestInterface): ?string)|null $template tells the template of the route from
     *     the request that comes in here, if nobody behind the router has told it; for routers that come
     *     before this. Null means RouteTemplate::fromAttributes().
     */
    public function __construct(private readonly RequestMetrics $metrics, ?callable $template = null)
    {
        $this->template = ($template ?? RouteTemplate::fromAttributes(...))(...);
    }

    public function process(ServerRequestInterface $request, RequestHandlerInterface $handler): ResponseInterface
    {
        if ($request->getAttribute(MatchedRoute::class) instanceof MatchedRoute) {
            return $handler->handle($request);
        }
        $route = new MatchedRoute();
        $inner = $request->withAttribute(MatchedRoute::class, $route);
        $running = $this->metrics->begin(
            $request->getMethod(...),
            fn (): ?string => $route->template ?? ($this->template)($request)
        );
        try {
            $response = $handler->handle($inner);
        } catch (\Throwable $error) {
            $running->end(500);
            throw $error;
        }
        $running->end($response->getStatusCode());

        return $response;
    }
}
