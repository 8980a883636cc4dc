<?php

declare(strict_types=1);

namespace Pushprom\Tests\Outside;

use GuzzleHttp\Psr7\Response;
use GuzzleHttp\Psr7\ServerRequest;
use PHPUnit\Framework\TestCase;
use Prometheus\CollectorRegistry;
use Pushprom\Client;
use Pushprom\Http\RequestMetrics;
use Pushprom\Promphp\Adapter;
use Pushprom\Psr15\MetricsMiddleware;
use Pushprom\Tests\Support\Handler;
use Pushprom\Tests\Support\LaravelApp;
use Pushprom\Tests\Support\LaravelJob;
use Pushprom\Tests\Support\Server;
use Pushprom\Tests\Support\SymfonyApp;

final class FrameworksTest extends TestCase
{
    /**
     * @dataProvider applications
     * @param callable(string): void $run an application that pushes to this address
     * @param array<string, float> $samples
     */
    public function testWhatAnApplicationCountsIsOnThePage(callable $run, array $samples): void
    {
        foreach (['udp', 'unix', 'http'] as $scheme) {
            $server = new Server();
            $run($server->url($scheme));
            $page = $server->catchUp();
            foreach ($samples as $sample => $value) {
                self::assertSame($value, $page->value($sample), "$sample over $scheme in\n$page->text");
            }
            self::assertSame(0.0, $page->sum('pushprom_deltas_rejected_total'));
            self::assertSame(0.0, $page->sum('pushprom_buckets_ignored_total'));
        }
    }

    /**
     * @return iterable<string, array{callable(string): void, array<string, float>}>
     */
    public static function applications(): iterable
    {
        yield 'PSR-15' => [self::psr15(...), [
            'http_requests_total{app="shop",method="GET",route="/users/{id}",status="200"}' => 2.0,
            'http_request_duration_seconds_bucket{app="shop",method="GET",route="/users/{id}",le="+Inf"}' => 2.0,
            'http_requests_in_flight{app="shop"}' => 0.0,
        ]];
        yield 'Laravel' => [self::laravel(...), [
            'http_requests_total{app="shop",method="GET",route="/users/{id}",status="200"}' => 2.0,
            'http_requests_total{app="shop",method="GET",route="unmatched",status="404"}' => 1.0,
            'http_request_duration_seconds_bucket{app="shop",method="GET",route="/users/{id}",le="+Inf"}' => 2.0,
            'http_request_duration_seconds_count{app="shop",method="GET",route="unmatched"}' => 1.0,
            'queue_jobs_total{app="shop",job="Pushprom\\\\Tests\\\\Support\\\\LaravelJob",queue="default",'
                . 'result="processed"}' => 1.0,
            'console_commands_total{app="shop",command="queue:work",exit_code="0"}' => 1.0,
        ]];
        yield 'Symfony' => [self::symfony(...), [
            'http_requests_total{app="shop",method="GET",route="user_show",status="200"}' => 2.0,
            'http_requests_total{app="shop",method="GET",route="unmatched",status="404"}' => 1.0,
            'http_request_duration_seconds_bucket{app="shop",method="GET",route="user_show",le="+Inf"}' => 2.0,
            'orders_total{app="shop"}' => 1.0,
            'console_commands_total{app="shop",command="about",exit_code="0"}' => 1.0,
        ]];
        yield 'prometheus_client_php' => [self::promphp(...), [
            'shop_orders_total{kind="book"}' => 3.0,
            'took_seconds_bucket{le="0.1"}' => 1.0,
            'took_seconds_bucket{le="+Inf"}' => 2.0,
            'page_bytes_sum' => 100.0,
            'php_info{version="' . PHP_VERSION . '"}' => 1.0,
        ]];
    }

    private static function psr15(string $url): void
    {
        $client = new Client($url, constLabels: ['app' => 'shop']);
        $metrics = new RequestMetrics($client, inFlight: true);
        $middleware = new MetricsMiddleware($metrics, static fn () => '/users/{id}');
        $handler = new Handler(static fn () => new Response(200));
        $middleware->process(new ServerRequest('GET', '/users/7'), $handler);
        $middleware->process(new ServerRequest('GET', '/users/8'), $handler);
        $client->flush();
    }

    private static function laravel(string $url): void
    {
        $laravel = (new LaravelApp(['url' => $url, 'const_labels' => ['app' => 'shop']]))->boot()->withQueue();
        $laravel->request('GET', '/users/7');
        $laravel->request('GET', '/users/8');
        $laravel->request('GET', '/admin.php');
        LaravelJob::dispatch('return');
        $laravel->artisan('queue:work', ['--once' => true]);
    }

    private static function symfony(string $url): void
    {
        $symfony = new SymfonyApp("{ url: '$url', const_labels: { app: shop } }");
        $symfony->request('GET', '/users/7');
        $symfony->request('GET', '/users/8');
        $symfony->request('GET', '/admin.php');
        $symfony->request('GET', '/order');
        $symfony->console('about');
    }

    private static function promphp(string $url): void
    {
        $client = new Client($url);
        $registry = new CollectorRegistry(new Adapter($client));
        $registry->getOrRegisterCounter('shop', 'orders_total', 'Orders.', ['kind'])->incBy(3, ['book']);
        $histogram = $registry->getOrRegisterHistogram('', 'took_seconds', 'Time.', [], [0.1, 1]);
        $histogram->observe(0.05);
        $histogram->observe(7);
        $registry->getOrRegisterSummary('', 'page_bytes', 'Size.')->observe(100);
        $client->flush();
    }
}
