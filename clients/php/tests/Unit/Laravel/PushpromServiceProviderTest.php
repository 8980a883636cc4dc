<?php

declare(strict_types=1);

namespace Pushprom\Tests\Unit\Laravel;

use Illuminate\Console\Events\CommandFinished;
use Illuminate\Contracts\Console\Kernel;
use Illuminate\Contracts\Queue\Job;
use Illuminate\Http\Request;
use Illuminate\Queue\Events\WorkerStopping;
use Illuminate\Queue\WorkerOptions;
use Illuminate\Support\ServiceProvider;
use PHPUnit\Framework\TestCase;
use Pushprom\Client;
use Pushprom\ClientInterface;
use Pushprom\Http\RequestMetrics;
use Pushprom\Laravel\JobListener;
use Pushprom\Laravel\MetricsMiddleware;
use Pushprom\Laravel\PushpromServiceProvider;
use Pushprom\NullClient;
use Pushprom\Queue\JobMetrics;
use Pushprom\Tests\Support\CountingLogger;
use Pushprom\Tests\Support\LaravelApp;
use Pushprom\Tests\Support\LaravelJob;
use Pushprom\Tests\Support\Messages;
use Pushprom\Tests\Support\ThrowingLogger;
use Symfony\Component\Console\Input\ArrayInput;
use Symfony\Component\Console\Output\NullOutput;

final class PushpromServiceProviderTest extends TestCase
{
    private const JOB = LaravelJob::class;

    /**
     * @dataProvider requests
     * @param array<string, string> $form
     */
    public function testARequestIsCountedAndSent(
        string $method,
        string $path,
        array $form,
        int $status,
        string $labels
    ): void {
        $client = new Messages();
        $response = $this->boot($client)->request($method, $path, $form);

        self::assertSame($status, $response->getStatusCode(), (string) $response->getContent());
        self::assertSame([[
            "http_request_duration_seconds{{$labels}}" => 'observed 1',
            "http_requests_total{{$labels},status=\"$status\"}" => 1,
        ]], $client->sent);
    }

    /**
     * @return iterable<string, array{string, string, array<string, string>, int, string}>
     */
    public static function requests(): iterable
    {
        yield 'the root' => ['GET', '/', [], 200, 'method="GET",route="/"'];
        yield 'a parameter' => ['GET', '/users/7', [], 200, 'method="GET",route="/users/{id}"'];
        yield 'no route' => ['GET', '/admin.php', [], 404, 'method="GET",route="unmatched"'];
        yield 'another method' => ['POST', '/users/7', [], 405, 'method="POST",route="unmatched"'];
        yield 'a form with a method' => [
            'POST',
            '/users/7',
            ['_method' => 'PUT'],
            204,
            'method="PUT",route="/users/{id}"',
        ];
        yield 'a question about a path' => ['OPTIONS', '/users/7', [], 200, 'method="OPTIONS",route="unmatched"'];
        yield 'a route for questions' => ['OPTIONS', '/pots/7', [], 200, 'method="OPTIONS",route="/pots/{id}"'];
        yield 'a form with no method' => ['POST', '/', ['_method' => '?'], 404, 'method="POST",route="unmatched"'];
        yield 'an exception with a status' => ['GET', '/forbidden', [], 403, 'method="GET",route="/forbidden"'];
        yield 'any other exception' => ['GET', '/broken', [], 500, 'method="GET",route="/broken"'];
    }

    public function testAnExceptionThatNothingRendersIsPassedOn(): void
    {
        $client = new Messages();
        $laravel = $this->boot($client);
        $error = new \DomainException('no such pot');
        $request = Request::create('/');
        try {
            $laravel->app->make(MetricsMiddleware::class)->handle($request, static fn () => throw $error);
            self::fail('nothing was thrown');
        } catch (\DomainException $thrown) {
            self::assertSame($error, $thrown);
        }

        self::assertSame(1, $client->rest()['http_requests_total{method="GET",route="unmatched",status="500"}']);
    }

    public function testWhatTheApplicationRecordsIsSentToo(): void
    {
        $client = new Messages();
        $laravel = $this->boot($client, ['http_metrics' => false, 'console_metrics' => false]);
        $laravel->app->make('router')->get('/order', static function (ClientInterface $client): string {
            $client->counter('orders_total')->inc();

            return 'ordered';
        });
        $laravel->request('GET', '/order');

        self::assertSame([['orders_total' => 1]], $client->sent);
    }

    public function testOneMoreInFlightIsSentFirst(): void
    {
        $client = new Messages();
        $this->boot($client, ['http_in_flight' => true])->request('GET', '/');

        self::assertSame(['http_requests_in_flight' => 1], $client->sent[0]);
        self::assertSame(-1, $client->sent[1]['http_requests_in_flight']);
    }

    public function testBucketsAreThoseOfTheConfiguration(): void
    {
        $client = new Messages();
        $this->boot($client, ['http_buckets' => [0.1, 1]])->request('GET', '/');

        self::assertSame(['buckets' => [0.1, 1]], $client->changes[0]->series->recipe);
    }

    /**
     * @dataProvider jobs
     * @param list<string> $results of attempts, in order
     */
    public function testAJobIsCountedAndSentAfterEachAttempt(string $end, int $tries, array $results): void
    {
        $client = new Messages();
        $laravel = $this->boot($client)->withQueue();
        LaravelJob::dispatch($end, $tries)->onQueue('mail');
        foreach ($results as $_) {
            $laravel->app->make('queue.worker')->runNextJob('database', 'mail', new WorkerOptions());
        }

        $labels = 'job="' . self::JOB . '",queue="mail"';
        $sent = array_map(static fn (string $result) => [
            "queue_job_duration_seconds{{$labels}}" => 'observed 1',
            "queue_jobs_total{{$labels},result=\"$result\"}" => 1,
        ], $results);
        self::assertSame($sent, $client->sent);
        self::assertSame(0, $laravel->app->make('queue')->size('mail'));
        self::assertSame([], $laravel->app->make(JobMetrics::class)->running());
    }

    /**
     * @return iterable<string, array{string, int, list<string>}>
     */
    public static function jobs(): iterable
    {
        yield 'that is done' => ['return', 1, ['processed']];
        yield 'that throws' => ['throw', 1, ['failed']];
        yield 'that throws and is tried again' => ['throw', 2, ['retry', 'failed']];
        yield 'that throws and cannot even fail' => ['throw twice', 1, ['failed']];
        yield 'that fails by itself' => ['fail', 2, ['failed']];
        yield 'that goes back to the queue' => ['release once', 2, ['retry', 'processed']];
        yield 'whose worker is stopped' => ['stop', 1, ['timeout']];
    }

    /**
     * @dataProvider payloads
     */
    public function testAJobIsCountedWhateverItsPayloadSays(string $payload, string $job, string $result): void
    {
        $client = new Messages();
        $laravel = $this->boot($client)->withQueue();
        $laravel->app->make('queue')->pushRaw($payload, 'mail');
        $laravel->app->make('queue.worker')->runNextJob('database', 'mail', new WorkerOptions());

        self::assertSame(1, $client->sent[0]["queue_jobs_total{job=\"$job\",queue=\"mail\",result=\"$result\"}"]);
        self::assertSame([], $laravel->app->make(JobMetrics::class)->running());
    }

    /**
     * @return iterable<string, array{string, string, string}>
     */
    public static function payloads(): iterable
    {
        $handler = str_replace('\\', '\\\\', self::class) . '@ignore';
        yield 'a number as name' => ["{\"displayName\":5,\"job\":\"$handler\",\"data\":[]}", '5', 'processed'];
        yield 'a list as name' => ["{\"displayName\":[5],\"job\":\"$handler\",\"data\":[]}", 'unknown', 'processed'];
        yield 'a class that is gone' => ['{"maxTries":1,"job":"Gone@fire","data":[]}', 'Gone@fire', 'failed'];
    }

    /**
     * What a queue calls by the name in a payload.
     */
    public function ignore(Job $job): void
    {
        $job->delete();
    }

    public function testAListenerThatFailsIsNotSeenByTheWorker(): void
    {
        $laravel = (new LaravelApp())->boot();
        $laravel->app->bind(JobListener::class, static fn () => throw new \LogicException('no such listener'));
        $laravel->app->make('events')->dispatch(new WorkerStopping());

        self::assertFalse($laravel->app->resolved(JobListener::class));
    }

    public function testWhatIsLeftIsSentWhenAWorkerStops(): void
    {
        $client = new Messages();
        $laravel = $this->boot($client);
        $client->counter('orders_total')->inc();
        $laravel->app->make('events')->dispatch(new WorkerStopping());

        self::assertSame([['orders_total' => 1]], $client->sent);
    }

    /**
     * @dataProvider syncJobs
     */
    public function testAJobThatRunsWithinARequestIsSentWithIt(string $end, int $status, string $result): void
    {
        $client = new Messages();
        $laravel = $this->boot($client);
        $laravel->app->make('router')->get('/job', static function () use ($end): string {
            LaravelJob::dispatch($end)->onConnection('sync');

            return 'done';
        });
        self::assertSame($status, $laravel->request('GET', '/job')->getStatusCode());

        $job = 'job="' . self::JOB . '",queue="sync"';
        self::assertSame([[
            "queue_job_duration_seconds{{$job}}" => 'observed 1',
            "queue_jobs_total{{$job},result=\"$result\"}" => 1,
            'http_request_duration_seconds{method="GET",route="/job"}' => 'observed 1',
            "http_requests_total{method=\"GET\",route=\"/job\",status=\"$status\"}" => 1,
        ]], $client->sent);
    }

    /**
     * @return iterable<string, array{string, int, string}>
     */
    public static function syncJobs(): iterable
    {
        yield 'that is done' => ['return', 200, 'processed'];
        yield 'that throws' => ['throw', 500, 'failed'];
    }

    public function testACommandIsCountedAndSent(): void
    {
        $client = new Messages();
        $laravel = $this->boot($client);
        $laravel->app->make(Kernel::class)->command('report:send {day}', fn () => 3);
        self::assertSame(0, $laravel->artisan('env'));
        self::assertSame(3, $laravel->artisan('report:send', ['day' => 'monday']));

        self::assertSame([
            ['console_commands_total{command="env",exit_code="0"}' => 1],
            ['console_commands_total{command="report:send",exit_code="3"}' => 1],
        ], $client->sent);
    }

    /**
     * @dataProvider typed
     */
    public function testACommandHasOneNameHoweverItIsTyped(string $typed, string $name): void
    {
        $client = new Messages();
        $laravel = $this->boot($client);
        $laravel->artisan($typed);
        // Later versions may tell of a command that there is not.
        $event = new CommandFinished($typed, new ArrayInput([]), new NullOutput(), 0);
        $laravel->app->make('events')->dispatch($event);
        $label = "console_commands_total{command=\"$name\",exit_code=\"0\"}";

        self::assertSame([$label], array_keys(array_merge(...$client->sent)));
    }

    /**
     * @return iterable<string, array{string, string}>
     */
    public static function typed(): iterable
    {
        yield 'in full' => ['env', 'env'];
        yield 'abbreviated' => ['en', 'env'];
        yield 'nothing' => ['', 'list'];
        yield 'what there is not' => ['wp-admin', 'unknown'];
    }

    public function testACommandWithinARequestIsSentWithIt(): void
    {
        $client = new Messages();
        $laravel = $this->boot($client);
        $artisan = $laravel->app->make(Kernel::class);
        $laravel->app->make('router')->get('/env', static fn () => $artisan->call('env'));
        $laravel->request('GET', '/env');
        $laravel->artisan('env');

        $command = 'console_commands_total{command="env",exit_code="0"}';
        self::assertCount(2, $client->sent);
        self::assertSame(1, $client->sent[0]['http_requests_total{method="GET",route="/env",status="200"}']);
        self::assertSame(1, $client->sent[0][$command]);
        self::assertSame([$command => 1], $client->sent[1]);
    }

    public function testTheMiddlewareInPlaceTwiceCountsOnce(): void
    {
        $client = new Messages();
        $laravel = $this->boot($client);
        $laravel->app->make('router')->get('/twice', static fn () => '')->middleware(MetricsMiddleware::class);
        $laravel->request('GET', '/twice');

        self::assertSame([[
            'http_request_duration_seconds{method="GET",route="/twice"}' => 'observed 1',
            'http_requests_total{method="GET",route="/twice",status="200"}' => 1,
        ]], $client->sent);
    }

    /**
     * @dataProvider loggers
     */
    public function testALoggerMayCountWithTheClient(string $url, string $told): void
    {
        $laravel = new LaravelApp(['url' => $url]);
        $laravel->app->singleton('log', static fn ($app) => new CountingLogger($app->make(ClientInterface::class)));
        $laravel->boot();
        self::assertSame('home', $laravel->request('GET', '/')->getContent());

        self::assertMatchesRegularExpression("/^$told/", $laravel->app->make('log')->told[0]);
    }

    /**
     * @return iterable<string, array{string, string}>
     */
    public static function loggers(): iterable
    {
        yield 'of what is lost' => ['unix:///nonexistent/push.sock', 'warning: pushprom: '];
        yield 'of a mistake' => ['gopher://pushprom', 'error: pushprom: nothing is sent: '];
    }

    /**
     * @dataProvider switches
     */
    public function testMetricsMayBeTurnedOff(string $option): void
    {
        $client = new Messages();
        $laravel = $this->boot($client, [$option => false])->withQueue();
        LaravelJob::dispatch('return');
        $laravel->artisan('queue:work', ['--once' => true]);
        $laravel->request('GET', '/');

        $families = array_map(static fn (string $series) => strstr($series, '_', true), array_keys(
            array_merge(...$client->sent)
        ));
        $all = ['http_metrics' => 'http', 'queue_metrics' => 'queue', 'console_metrics' => 'console'];
        self::assertEqualsCanonicalizing(array_values(array_diff_key($all, [$option => 0])), array_unique($families));
    }

    /**
     * @return iterable<string, array{string}>
     */
    public static function switches(): iterable
    {
        yield 'of requests' => ['http_metrics'];
        yield 'of jobs' => ['queue_metrics'];
        yield 'of commands' => ['console_metrics'];
    }

    public function testTheClientIsThatOfTheConfiguration(): void
    {
        $app = (new LaravelApp(['url' => 'udp://127.0.0.1:9090']))->boot()->app;
        self::assertInstanceOf(Client::class, $app->make(ClientInterface::class));
        self::assertSame($app->make(ClientInterface::class), $app->make(ClientInterface::class));
        self::assertArrayHasKey('timeout_ms', $app->make('config')->get('pushprom'), 'all options are there');

        self::assertInstanceOf(NullClient::class, (new LaravelApp())->boot()->app->make(ClientInterface::class));
        $off = new LaravelApp(['url' => 'udp://127.0.0.1:9090', 'enabled' => false]);
        self::assertInstanceOf(NullClient::class, $off->boot()->app->make(ClientInterface::class));
    }

    public function testOctaneMakesNothingForEachRequest(): void
    {
        $app = (new LaravelApp(['url' => 'udp://127.0.0.1:9090']))->boot()->app;
        $sandbox = clone $app;

        self::assertSame($app->make(ClientInterface::class), $sandbox->make(ClientInterface::class));
        self::assertSame($app->make(RequestMetrics::class), $sandbox->make(RequestMetrics::class));
    }

    public function testTheConfigurationCanBePublished(): void
    {
        $app = (new LaravelApp())->boot()->app;
        $paths = ServiceProvider::pathsToPublish(PushpromServiceProvider::class, 'pushprom-config');

        self::assertSame([$app->configPath('pushprom.php')], array_values($paths));
        self::assertFileExists((string) array_key_first($paths));
    }

    /**
     * @dataProvider \Pushprom\Tests\Support\Nowhere::urls
     */
    public function testResponsesAreTheSameIfNobodyListensAndTheLoggerFails(string $url, int $told): void
    {
        $plain = (new LaravelApp())->boot();
        $logger = new ThrowingLogger();
        $laravel = new LaravelApp(['url' => $url, 'retries' => 0, 'http_in_flight' => true]);
        $laravel->app->instance('log', $logger);
        $laravel->boot();
        foreach (['/', '/users/7', '/admin.php', '/forbidden'] as $path) {
            $expected = $plain->request('GET', $path);
            $response = $laravel->request('GET', $path);
            self::assertSame($expected->getContent(), $response->getContent());
            self::assertSame($expected->getStatusCode(), $response->getStatusCode());
        }
        // Nobody holds the client then, so that it ends.
        $laravel->app->flush();

        self::assertGreaterThanOrEqual($told, $logger->told);
    }

    public function testTheLoggerIsTheChannelOfTheConfiguration(): void
    {
        $laravel = new LaravelApp(['url' => 'gopher://pushprom', 'log_channel' => 'metrics']);
        $laravel->boot();
        $channels = array_keys($laravel->app->make('log')->getChannels());

        self::assertSame(['metrics'], $channels);
    }

    /**
     * @param array<string, mixed> $options
     */
    private function boot(Messages $client, array $options = []): LaravelApp
    {
        $laravel = (new LaravelApp(['url' => 'udp://127.0.0.1:9090'] + $options))->boot();
        $laravel->app->instance(ClientInterface::class, $client);

        return $laravel;
    }
}
