<?php

declare(strict_types=1);

namespace Pushprom\Laravel;

use Illuminate\Http\Request;
use Illuminate\Routing\Route;
use Illuminate\Routing\Router;
use Pushprom\ClientInterface;
use Pushprom\Http\RequestMetrics;
use Symfony\Component\HttpFoundation\Response;

/**
 * Counts requests, and sends what was recorded once the response is out. The provider puts it around all
 * others; where an application has it a second time, it does nothing.
 */
final class MetricsMiddleware
{
    public function __construct(
        private readonly RequestMetrics $metrics,
        private readonly ClientInterface $client,
        private readonly Router $router
    ) {
    }

    /**
     * @param \Closure(Request): Response $next
     */
    public function handle(Request $request, \Closure $next): mixed
    {
        if ($request->attributes->has(self::class)) {
            return $next($request);
        }
        $running = $this->metrics->begin($request->getMethod(...), fn (): ?string => $this->template($request));
        $request->attributes->set(self::class, true);
        try {
            $response = $next($request);
        } catch (\Throwable $error) {
            $running->end(500);
            throw $error;
        }
        $running->end($response instanceof Response ? $response->getStatusCode() : 200);

        return $response;
    }

    public function terminate(): void
    {
        $this->client->flush();
    }

    private function template(Request $request): ?string
    {
        $route = $request->route();
        if (!$route instanceof Route) {
            return null;
        }
        // The router answers OPTIONS by itself with a route that it makes of the path.
        if ($request->getMethod() === 'OPTIONS') {
            $registered = $this->router->getRoutes()->get('OPTIONS');
            if (!isset($registered["{$route->getDomain()}{$route->uri()}"])) {
                return null;
            }
        }

        return '/' . \ltrim($route->uri(), '/');
    }
}
