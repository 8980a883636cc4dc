<?php

declare(strict_types=1);

namespace Pushprom\Psr15;

use Psr\Http\Message\ServerRequestInterface;

/**
 * An attribute of the request, under the name of this class, by which what knows the route tells the
 * MetricsMiddleware around it.
 */
final class MatchedRoute
{
    /** As in `/users/{id}`. */
    public ?string $template = null;

    /**
     * For code that knows the route, such as what calls a handler. Without a MetricsMiddleware around nobody is told.
     */
    public static function tell(ServerRequestInterface $request, ?string $template): void
    {
        $route = $request->getAttribute(self::class);
        if ($route instanceof self) {
            $route->template = $template;
        }
    }
}
