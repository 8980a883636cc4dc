<?php

declare(strict_types=1);

namespace Pushprom\Laravel;

use Illuminate\Http\Request;
use Illuminate\Routing\Route;
use Pushprom\ClientInterface;
use Pushprom\Http\RequestMetrics;
use Symfony\Component\HttpFoundation\Response;

/**
 * Counts requests, and sends what was recorded once the response is out. The provider puts it around all
 * others.
 */
final class MetricsMiddleware
{
    public function __construct(
        private readonly RequestMetrics $metrics,
        private readonly ClientInterface $client
    ) {
    }

    /**
     * @param \Closure(Request): Response $next
     */
    public function handle(Request $request, \Closure $next): mixed
    {
        $running = $this->metrics->begin($request->getMethod(...), static function () use ($request): ?string {
            $route = $request->route();

            return $route instanceof Route ? '/' . \ltrim($route->uri(), '/') : null;
        });
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
}
