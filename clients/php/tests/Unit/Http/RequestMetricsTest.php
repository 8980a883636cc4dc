<?php

declare(strict_types=1);

namespace Pushprom\Tests\Unit\Http;

use PHPUnit\Framework\TestCase;
use Pushprom\Http\RequestMetrics;
use Pushprom\NullClient;
use Pushprom\Tests\Support\Messages;
use Pushprom\Tests\Support\Script;

final class RequestMetricsTest extends TestCase
{
    /**
     * @dataProvider requests
     */
    public function testLabelsHaveFewValues(string $method, ?string $route, int $status, string $labels): void
    {
        $client = new Messages();
        $metrics = new RequestMetrics($client);
        $metrics->begin(static fn () => $method, static fn () => $route)->end($status);

        self::assertSame([
            "http_request_duration_seconds{{$labels}}" => 'observed 1',
            "http_requests_total{{$labels},status=\"$status\"}" => 1,
        ], $client->rest());
    }

    /**
     * @return iterable<string, array{string, ?string, int, string}>
     */
    public static function requests(): iterable
    {
        yield 'with a route' => ['GET', '/users/{id}', 200, 'method="GET",route="/users/{id}"'];
        yield 'without a route' => ['GET', null, 404, 'method="GET",route="unmatched"'];
        yield 'with an empty route' => ['HEAD', '', 404, 'method="HEAD",route="unmatched"'];
        yield 'of a method that nobody knows' => ['BREW', '/pot', 418, 'method="OTHER",route="/pot"'];
        yield 'of a method in lower case' => ['get', '/', 200, 'method="OTHER",route="/"'];
        yield 'of a method that a server made up' => [str_repeat('A', 9000), '/', 400, 'method="OTHER",route="/"'];
    }

    public function testWhatCannotBeToldIsCountedAllTheSame(): void
    {
        $client = new Messages();
        $fail = static fn () => throw new \LogicException('a router that fails');
        (new RequestMetrics($client))->begin($fail, $fail)->end(200);

        self::assertSame(1, $client->rest()['http_requests_total{method="OTHER",route="unmatched",status="200"}']);
    }

    public function testARequestCountsOnce(): void
    {
        $client = new Messages();
        $request = (new RequestMetrics($client))->begin(static fn () => 'GET', static fn () => '/');
        $request->end(200);
        $request->end(500);

        self::assertSame([
            'http_request_duration_seconds{method="GET",route="/"}' => 'observed 1',
            'http_requests_total{method="GET",route="/",status="200"}' => 1,
        ], $client->rest());
    }

    public function testTheTimeIsObservedInTheBucketsAskedFor(): void
    {
        $client = new Messages();
        $request = (new RequestMetrics($client, [0.1, 1]))->begin(static fn () => 'GET', static fn () => '/');
        $began = hrtime(true);
        while (hrtime(true) - $began < 2_000_000) {
            // Two milliseconds of work.
        }
        $request->end(200);
        $client->flush();

        self::assertSame(['buckets' => [0.1, 1]], $client->changes[0]->series->recipe);
        self::assertGreaterThanOrEqual(0.002, $client->changes[0]->observed[0]);
        self::assertLessThan(20, $client->changes[0]->observed[0]);
    }

    public function testOneMoreInFlightIsSentBeforeTheRequestIsHandled(): void
    {
        $client = new Messages();
        $metrics = new RequestMetrics($client, inFlight: true);
        $request = $metrics->begin(static fn () => 'GET', static fn () => '/');
        self::assertSame([['http_requests_in_flight' => 1]], $client->sent);
        $request->end(200);

        self::assertSame(-1, $client->rest()['http_requests_in_flight']);
    }

    /**
     * @dataProvider ends
     */
    public function testARequestCountsWherePhpMayNotTellItsProcess(string $end, string $status): void
    {
        $code = <<<'PHP'
            use Pushprom\Http\RequestMetrics;
            use Pushprom\Tests\Support\Messages;

            $client = new Messages();
            afterClients(static fn () => print(json_encode(array_keys($client->rest()))));
            $metrics = new RequestMetrics($client);
            $request = $metrics->begin(static fn () => 'GET', static fn () => '/');
            PHP;
        $counted = Script::result("$code\n$end;", flags: ['-d', 'disable_functions=getmypid']);

        self::assertSame("http_requests_total{method=\"GET\",route=\"/\",status=\"$status\"}", $counted[1]);
    }

    /**
     * @return iterable<string, array{string, string}>
     */
    public static function ends(): iterable
    {
        yield 'with a response' => ['$request->end(200)', '200'];
        yield 'with its process' => ['exit', '500'];
    }

    public function testARequestCountsWherePhpHasNoFunctionsForItsEnd(): void
    {
        $code = <<<'PHP'
            $client = new Pushprom\Tests\Support\Messages();
            $metrics = new Pushprom\Http\RequestMetrics($client);
            $metrics->begin(static fn () => 'GET', static fn () => '/')->end(200);
            echo json_encode([$client->rest(), $metrics->isRunning()]);
            PHP;
        $disabled = 'disable_functions=register_shutdown_function,spl_object_id,error_get_last,http_response_code';

        self::assertSame([[
            'http_request_duration_seconds{method="GET",route="/"}' => 'observed 1',
            'http_requests_total{method="GET",route="/",status="200"}' => 1,
        ], false], Script::result($code, flags: ['-d', $disabled]));
    }

    public function testEachRequestThatEndsWithItsProcessCountsWherePhpMayNotTellWhy(): void
    {
        $code = <<<'PHP'
            $client = new Pushprom\Tests\Support\Messages();
            afterClients(static fn () => print(json_encode($client->rest())));
            $metrics = new Pushprom\Http\RequestMetrics($client);
            foreach (['/outer', '/inner', '/innermost'] as $route) {
                $metrics->begin(static fn () => 'GET', static fn () => $route);
            }
            exit;
            PHP;
        $counted = Script::result($code, flags: ['-d', 'disable_functions=error_get_last,http_response_code']);

        foreach (['/outer', '/inner', '/innermost'] as $route) {
            self::assertSame(1, $counted["http_requests_total{method=\"GET\",route=\"$route\",status=\"500\"}"]);
        }
    }

    public function testOneForEachRequestLeavesNothingInAWorker(): void
    {
        $client = new NullClient();
        $handle = static function () use ($client): void {
            for ($i = 0; $i < 100; $i++) {
                $request = (new RequestMetrics($client))->begin(static fn () => 'GET', static fn () => '/');
                $request->end(200);
            }
            // Some of it may be freed in cycles only.
            gc_collect_cycles();
        };
        $handle();
        $before = memory_get_usage();
        $handle();

        self::assertSame(0, memory_get_usage() - $before);
    }

    public function testRequestsAreNotHeldOnceTheyHaveEnded(): void
    {
        $metrics = new RequestMetrics(new Messages());
        $request = $metrics->begin(static fn () => 'GET', static fn () => '/');
        $held = \WeakReference::create($request);
        $request->end(200);
        unset($request);

        self::assertNull($held->get());
    }
}
