<?php

declare(strict_types=1);

namespace Pushprom\Psr15;

use Psr\Http\Message\ServerRequestInterface;

/**
 * Finds the template of a route, `/users/{id}` for example, in what routers leave in the attributes of a
 * request.
 */
final class RouteTemplate
{
    /** Slim 4 and Mezzio. */
    private const ATTRIBUTES = ['__route__', 'Mezzio\Router\RouteResult'];

    /**
     * For MetricsMiddleware and RouteTemplateMiddleware, which take it if they are given nothing else.
     *
     * @return string|null null if the request has no attribute of a router that is known
     */
    public static function fromAttributes(ServerRequestInterface $request): ?string
    {
        foreach (self::ATTRIBUTES as $name) {
            $attribute = $request->getAttribute($name);
            $template = \is_object($attribute) ? self::of($attribute) : null;
            if ($template !== null) {
                return $template;
            }
        }

        return null;
    }

    /**
     * For a router, or code around one, that leaves the template in an attribute of this name, or an object
     * that fromAttributes() would know.
     *
     * @return \Closure(ServerRequestInterface): ?string
     */
    public static function attribute(string $name): \Closure
    {
        return static function (ServerRequestInterface $request) use ($name): ?string {
            $attribute = $request->getAttribute($name);
            if (\is_object($attribute)) {
                return self::of($attribute);
            }

            return \is_string($attribute) ? $attribute : null;
        };
    }

    /**
     * By the public methods of a route of Slim, and of a result of Mezzio. Without such a result around it, what has
     * a path may be an address of the request, which never becomes a label.
     */
    private static function of(object $found): ?string
    {
        $template = null;
        if (\method_exists($found, 'getPattern')) {
            $template = $found->getPattern();
        } elseif (\method_exists($found, 'getMatchedRoute')) {
            $route = $found->getMatchedRoute();
            $template = \is_object($route) && \method_exists($route, 'getPath') ? $route->getPath() : null;
        }

        return \is_string($template) ? $template : null;
    }
}
