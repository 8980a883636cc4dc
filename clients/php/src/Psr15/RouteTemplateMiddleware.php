<?php

declare(strict_types=1);

namespace Pushprom\Psr15;

use Psr\Http\Message\ResponseInterface;
use Psr\Http\Message\ServerRequestInterface;
use Psr\Http\Server\MiddlewareInterface;
use Psr\Http\Server\RequestHandlerInterface;
use Pushprom\Attempt;

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
        MatchedRoute::tell($request, Attempt::at(fn (): ?string => ($this->template)($request)));

        return $handler->handle($request);
    }
}
