<?php

declare(strict_types=1);

namespace Pushprom\Psr15;

/**
 * An attribute of the request, under the name of this class, by which what knows the route tells the
 * MetricsMiddleware around it.
 */
final class MatchedRoute
{
    /** As in `/users/{id}`. */
    public ?string $template = null;
}
