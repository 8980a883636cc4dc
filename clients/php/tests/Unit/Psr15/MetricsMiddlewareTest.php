<?php

declare(strict_types=1);

namespace Pushprom\Tests\Unit\Psr15;

use GuzzleHttp\Psr7\Response;
use GuzzleHttp\Psr7\ServerRequest;
use GuzzleHttp\Psr7\Uri;
use PHPUnit\Framework\TestCase;
use Psr\Http\Message\ResponseInterface;
use Psr\Http\Message\ServerRequestInterface;
use Pushprom\ClientFactory;
use Pushprom\Http\RequestMetrics;
use Pushprom\Psr15\MatchedRoute;
use Pushprom\Psr15\MetricsMiddleware;
use Pushprom\Psr15\RouteTemplate;
use Pushprom\Psr15\RouteTemplateMiddleware;
use Pushprom\Tests\Support\Handler;
use Pushprom\Tests\Support\Messages;
use Pushprom\Tests\Support\ThrowingLogger;

final class MetricsMiddlewareTest extends TestCase
{
    public function testAResponseIsPassedOnAndCounted(): void
    {
        $client = new Messages();
        $response = new Response(201);
        $middleware = new MetricsMiddleware(new RequestMetrics($client), static fn () => '/users');
        $handler = new Handler(static fn () => $response);

        self::assertSame($response, $middleware->process(new ServerRequest('POST', '/users'), $handler));
        self::assertSame([], $client->sent, 'sending is left to the end of the request');
        self::assertSame([
            'http_request_duration_seconds{method="POST",route="/users"}' => 'observed 1',
            'http_requests_total{method="POST",route="/users",status="201"}' => 1,
        ], $client->rest());
    }

    public function testAnExceptionIsPassedOnAndCounted(): void
    {
        $client = new Messages();
        $error = new \DomainException('no such pot');
        $middleware = new MetricsMiddleware(new RequestMetrics($client), static fn () => '/pot');
        $handler = new Handler(static fn () => throw $error);
        try {
            $middleware->process(new ServerRequest('GET', '/pot'), $handler);
            self::fail('nothing was thrown');
        } catch (\DomainException $thrown) {
            self::assertSame($error, $thrown);
        }

        self::assertSame(1, $client->rest()['http_requests_total{method="GET",route="/pot",status="500"}']);
    }

    /**
     * What routers leave in a request, by their documentation.
     *
     * @dataProvider attributes
     */
    public function testTheTemplateIsFoundWhereRoutersLeaveIt(string $attribute, mixed $value, string $route): void
    {
        $request = (new ServerRequest('GET', '/users/7'))->withAttribute($attribute, $value);

        $middleware = static fn (RequestMetrics $metrics) => new MetricsMiddleware($metrics);

        self::assertSame($route, $this->routeOf($request, $middleware));
    }

    /**
     * @return iterable<string, array{string, mixed, string}>
     */
    public static function attributes(): iterable
    {
        $slim = new class {
            public function getPattern(): string
            {
                return '/users/{id}';
            }
        };
        $mezzio = new class {
            public function getPath(): string
            {
                return '/users/{id:\d+}';
            }
        };
        $matched = static fn (mixed $route) => new class ($route) {
            public function __construct(private readonly mixed $route)
            {
            }

            public function getMatchedRoute(): mixed
            {
                return $this->route;
            }
        };
        yield 'Slim 4' => ['__route__', $slim, '/users/{id}'];
        yield 'Mezzio' => ['Mezzio\Router\RouteResult', $matched($mezzio), '/users/{id:\d+}'];
        yield 'Mezzio without a route' => ['Mezzio\Router\RouteResult', $matched(false), 'unmatched'];
        yield 'a parameter of the path' => ['__route__', '7', 'unmatched'];
        yield 'an object of something else' => ['__route__', new \stdClass(), 'unmatched'];
        yield 'an address' => ['route', new Uri('/users/7'), 'unmatched'];
        yield 'an address in place of a route' => ['__route__', new Uri('/users/7'), 'unmatched'];
        yield 'nothing' => ['locale', 'en', 'unmatched'];
    }

    /**
     * @dataProvider namedAttributes
     */
    public function testAnAttributeMayBeNamed(mixed $value, string $route): void
    {
        $request = (new ServerRequest('GET', '/users/7'))->withAttribute('template', $value);
        $middleware = static fn (RequestMetrics $metrics)
            => new MetricsMiddleware($metrics, RouteTemplate::attribute('template'));

        self::assertSame($route, $this->routeOf($request, $middleware));
    }

    /**
     * @return iterable<string, array{mixed, string}>
     */
    public static function namedAttributes(): iterable
    {
        $route = new class {
            public function getPattern(): string
            {
                return '/books/{id}';
            }
        };
        yield 'text' => ['/users/{id}', '/users/{id}'];
        yield 'a route' => [$route, '/books/{id}'];
        yield 'an address' => [new Uri('/users/7'), 'unmatched'];
        yield 'something else' => [['/users'], 'unmatched'];
    }

    /**
     * @dataProvider tellers
     */
    public function testWhatIsBehindTheRouterTellsTheRoute(callable $teller, string $route): void
    {
        $client = new Messages();
        $around = new MetricsMiddleware(new RequestMetrics($client));
        $behind = new RouteTemplateMiddleware($teller);
        $application = new Handler(static fn () => new Response(200));
        $router = new Handler(static fn (ServerRequestInterface $request): ResponseInterface => $behind->process(
            $request->withAttribute('template', '/users/{id}'),
            $application
        ));
        $around->process(new ServerRequest('GET', '/users/7'), $router);

        self::assertSame(1, $client->rest()["http_requests_total{method=\"GET\",route=\"$route\",status=\"200\"}"]);
        self::assertNotNull($application->request, 'the application was called');
    }

    /**
     * @return iterable<string, array{callable, string}>
     */
    public static function tellers(): iterable
    {
        yield 'one that knows' => [RouteTemplate::attribute('template'), '/users/{id}'];
        yield 'one that does not' => [RouteTemplate::fromAttributes(...), 'unmatched'];
        yield 'one that fails' => [static fn () => throw new \LogicException('no router'), 'unmatched'];
    }

    public function testCodeOfTheApplicationMayTellTheRoute(): void
    {
        $tell = static function (ServerRequestInterface $request): ResponseInterface {
            MatchedRoute::tell($request, '/users/{id}');

            return new Response(200);
        };
        self::assertSame(200, $tell(new ServerRequest('GET', '/'))->getStatusCode(), 'nobody around has to listen');
        $client = new Messages();
        (new MetricsMiddleware(new RequestMetrics($client)))
            ->process(new ServerRequest('GET', '/users/7'), new Handler($tell));

        self::assertSame(1, $client->rest()['http_requests_total{method="GET",route="/users/{id}",status="200"}']);
    }

    public function testTheMiddlewareInPlaceTwiceCountsOnce(): void
    {
        $client = new Messages();
        $around = new MetricsMiddleware(new RequestMetrics($client));
        $within = new MetricsMiddleware(new RequestMetrics($client));
        $application = new Handler(static function (ServerRequestInterface $request): ResponseInterface {
            MatchedRoute::tell($request, '/users/{id}');

            return new Response(200);
        });
        $handler = new Handler(static fn (ServerRequestInterface $request) => $within->process($request, $application));
        $around->process(new ServerRequest('GET', '/users/7'), $handler);

        self::assertSame([
            'http_request_duration_seconds{method="GET",route="/users/{id}"}' => 'observed 1',
            'http_requests_total{method="GET",route="/users/{id}",status="200"}' => 1,
        ], $client->rest());
    }

    public function testWithoutTheMiddlewareAroundNothingIsTold(): void
    {
        $response = new Response(204);
        $handler = new Handler(static fn () => $response);

        self::assertSame($response, (new RouteTemplateMiddleware())->process(new ServerRequest('GET', '/'), $handler));
    }

    /**
     * @dataProvider \Pushprom\Tests\Support\Nowhere::urls
     */
    public function testTheResponseIsTheSameIfNobodyListensAndTheLoggerFails(string $url, int $told): void
    {
        $logger = new ThrowingLogger();
        $client = ClientFactory::make(['url' => $url, 'retries' => 0], $logger);
        $response = new Response(200);
        $middleware = new MetricsMiddleware(new RequestMetrics($client, inFlight: true));
        $handler = new Handler(static fn () => $response);
        for ($i = 0; $i < 3; $i++) {
            self::assertSame($response, $middleware->process(new ServerRequest('GET', '/'), $handler));
            $client->flush();
        }
        unset($client, $middleware);

        self::assertGreaterThanOrEqual($told, $logger->told);
    }

    /**
     * @param callable(RequestMetrics): MetricsMiddleware $make
     */
    private function routeOf(ServerRequestInterface $request, callable $make): string
    {
        $client = new Messages();
        $make(new RequestMetrics($client))->process($request, new Handler(static fn () => new Response(200)));
        $client->flush();

        return $client->changes[0]->series->labels['route'];
    }
}
