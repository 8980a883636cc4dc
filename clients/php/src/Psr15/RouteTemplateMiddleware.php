<?php

declare(strict_types=1);

namespace Pushprom\Psr15;

use Psr\Http\Message\ResponseInterface;
use Psr\Http\Message\ServerRequestInterface;
use Psr\Http\Server\MiddlewareInterface;
use Psr\Http\Server\RequestHandlerInterface;

/**
 * Tells the MetricsMiddleware around it the template of the route. It belongs right behind the router: what a
 * router adds to a request is not seen by what is around the router.
 */
final class RouteTemplateMiddleware implements MiddlewareInterface
{
    /** @var \Closure(ServerRequestInterface): ?string */
    private readonly \Closure $template;

    /**
     * @param (callable(ServerRequestInterface): ?string)|null $template null means
     *     RouteTemplate::fromAttributes()
     */
    public function __construct(?callable $template = null)
    {
        $this->template = ($template ?? RouteTemplate::fromAttributes(...))(...);
    }

    public function process(ServerRequestInterface $request, RequestHandlerInterface $handler): ResponseInterface
    {
        $route = $request->getAttribute(MatchedRoute::class);
        if ($route instanceof MatchedRoute) {
            try {
                $route->template = ($this->template)($request);
            } catch (\Throwable) {
                // The request is counted without a route then; it is answered all the same.
            }
        }

        return $handler->handle($request);
    }
}
