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
    /** Slim 4, Mezzio, Slim 3 and others. Routers put parameters of a path there too, which are no objects. */
    private const ATTRIBUTES = ['__route__', 'Mezzio\Router\RouteResult', 'route'];

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
     * By the public methods of the routes of Slim, Mezzio and league/route; Mezzio has a result around it.
     */
    private static function of(object $route): ?string
    {
        if (\method_exists($route, 'getMatchedRoute')) {
            $route = $route->getMatchedRoute();
        }
        foreach (['getPattern', 'getPath'] as $method) {
            if (\is_object($route) && \method_exists($route, $method)) {
                $template = $route->$method();

                return \is_string($template) ? $template : null;
            }
        }

        return null;
    }
}
