<?php

declare(strict_types=1);

namespace Pushprom\Tests\Unit\Symfony;

use PHPUnit\Framework\TestCase;
use Pushprom\Client;
use Pushprom\NullClient;
use Pushprom\Pending;
use Pushprom\RecordingClient;
use Pushprom\Tests\Support\CountingLogger;
use Pushprom\Tests\Support\Messages;
use Pushprom\Tests\Support\SymfonyApp;
use Pushprom\Tests\Support\SymfonyMessage;
use Symfony\Component\Config\Definition\Exception\InvalidConfigurationException;
use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\HttpKernel\HttpKernelInterface;
use Symfony\Component\Messenger\Event\WorkerStoppedEvent;
use Symfony\Component\Messenger\Worker;

final class PushpromBundleTest extends TestCase
{
    private const MESSAGE = SymfonyMessage::class;

    protected function tearDown(): void
    {
        foreach (['URL', 'HTTP_METRICS', 'TIMEOUT_MS', 'LABELS', 'BUCKETS'] as $name) {
            putenv("PUSHPROM_$name");
        }
    }

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
        $symfony = SymfonyApp::recording();
        $response = $symfony->request($method, $path, $form);

        self::assertSame($status, $response->getStatusCode(), (string) $response->getContent());
        self::assertSame([[
            "http_request_duration_seconds{{$labels}}" => 'observed 1',
            "http_requests_total{{$labels},status=\"$status\"}" => 1,
        ]], self::sent($symfony));
    }

    /**
     * @return iterable<string, array{string, string, array<string, string>, int, string}>
     */
    public static function requests(): iterable
    {
        yield 'the root' => ['GET', '/', [], 200, 'method="GET",route="home"'];
        yield 'a parameter' => ['GET', '/users/7', [], 200, 'method="GET",route="user_show"'];
        yield 'a route in several languages' => ['GET', '/willkommen', [], 200, 'method="GET",route="welcome"'];
        yield 'no route' => ['GET', '/admin.php', [], 404, 'method="GET",route="unmatched"'];
        yield 'another method' => ['POST', '/users/7', [], 405, 'method="POST",route="unmatched"'];
        yield 'a form with a method' => [
            'POST',
            '/users/7',
            ['_method' => 'PUT'],
            200,
            'method="PUT",route="user_show"',
        ];
        yield 'a form with no method' => ['POST', '/', ['_method' => '?'], 400, 'method="POST",route="unmatched"'];
        yield 'a request within' => ['GET', '/around', [], 200, 'method="GET",route="around"'];
        yield 'an exception with a status' => ['GET', '/forbidden', [], 403, 'method="GET",route="forbidden"'];
        yield 'any other exception' => ['GET', '/broken', [], 500, 'method="GET",route="broken"'];
    }

    public function testAnExceptionThatNothingRendersIsPassedOn(): void
    {
        $symfony = SymfonyApp::recording();
        try {
            $symfony->handle(Request::create('/broken'), HttpKernelInterface::MAIN_REQUEST, false);
            self::fail('nothing was thrown');
        } catch (\DomainException $error) {
            self::assertSame('no such pot', $error->getMessage());
        }

        $client = $symfony->client();
        self::assertInstanceOf(Messages::class, $client);
        self::assertSame(1, $client->rest()['http_requests_total{method="GET",route="broken",status="500"}']);
    }

    public function testWhatTheApplicationRecordsIsSentToo(): void
    {
        $symfony = SymfonyApp::recording('{ http_metrics: false }');
        $symfony->request('GET', '/order');

        self::assertSame([['orders_total' => 1]], self::sent($symfony));
    }

    public function testOneMoreInFlightIsSentFirst(): void
    {
        $symfony = SymfonyApp::recording('{ http_in_flight: true }');
        $symfony->request('GET', '/');

        [$first, $second] = self::sent($symfony);
        self::assertSame(['http_requests_in_flight' => 1], $first);
        self::assertSame(-1, $second['http_requests_in_flight']);
    }

    public function testBucketsAreThoseOfTheConfiguration(): void
    {
        $symfony = SymfonyApp::recording('{ http_buckets: [0.1, 1] }');
        $symfony->request('GET', '/');
        $client = $symfony->client();
        self::assertInstanceOf(Messages::class, $client);

        self::assertSame(['buckets' => [0.1, 1]], $client->changes[0]->series->recipe);
    }

    /**
     * @dataProvider messages
     * @param list<string> $results of attempts, in order
     */
    public function testAMessageIsCountedAndSentAfterEachAttempt(string $end, array $results): void
    {
        $symfony = SymfonyApp::recording('{ console_metrics: false }');
        $symfony->client();
        $services = $symfony->getContainer()->get('test.service_container');
        $services->get('messenger.default_bus')->dispatch(new SymfonyMessage($end));
        $consume = ['receivers' => ['mail'], '--limit' => count($results), '--no-reset' => true, '--sleep' => 0];
        self::assertSame(0, $symfony->console('messenger:consume', $consume));

        $labels = 'job="' . self::MESSAGE . '",queue="mail"';
        self::assertSame(array_map(static fn (string $result) => [
            "queue_job_duration_seconds{{$labels}}" => 'observed 1',
            "queue_jobs_total{{$labels},result=\"$result\"}" => 1,
        ], $results), self::sent($symfony));
        self::assertSame([], $services->get('messenger.transport.mail')->get());
    }

    /**
     * @return iterable<string, array{string, list<string>}>
     */
    public static function messages(): iterable
    {
        yield 'that is done' => ['return', ['processed']];
        yield 'that throws and is tried again' => ['throw', ['retry', 'failed']];
        yield 'that fails for good' => ['fail', ['failed']];
    }

    public function testAClientThatFailsIsSeenNeitherByAWorkerNorByACommand(): void
    {
        $symfony = new SymfonyApp('~', '{ class: Pushprom\Tests\Support\ThrowingClient, public: true }');
        $symfony->boot();
        $services = $symfony->getContainer()->get('test.service_container');
        $services->get('messenger.default_bus')->dispatch(new SymfonyMessage('return'));
        $consume = ['receivers' => ['mail'], '--limit' => 1, '--no-reset' => true, '--sleep' => 0];

        self::assertSame(0, $symfony->console('messenger:consume', $consume));
        self::assertSame([], $services->get('messenger.transport.mail')->get());
    }

    public function testWhatIsLeftIsSentWhenAWorkerStops(): void
    {
        $symfony = SymfonyApp::recording();
        $symfony->client()->counter('orders_total')->inc();
        $services = $symfony->getContainer()->get('test.service_container');
        $worker = new Worker([], $services->get('messenger.default_bus'));
        $services->get('event_dispatcher')->dispatch(new WorkerStoppedEvent($worker));

        self::assertSame([['orders_total' => 1]], self::sent($symfony));
    }

    public function testACommandIsCountedAndSent(): void
    {
        $symfony = SymfonyApp::recording();
        self::assertSame(0, $symfony->console('about'));
        self::assertSame(1, $symfony->console('debug:router', ['name' => 'nothing']));

        self::assertSame([
            ['console_commands_total{command="about",exit_code="0"}' => 1],
            ['console_commands_total{command="debug:router",exit_code="1"}' => 1],
        ], self::sent($symfony));
    }

    public function testACommandWithinARequestIsSentWithIt(): void
    {
        $symfony = SymfonyApp::recording();
        $symfony->request('GET', '/command');
        $sent = self::sent($symfony);

        self::assertCount(1, $sent);
        self::assertSame(1, $sent[0]['console_commands_total{command="about",exit_code="0"}']);
        self::assertSame(1, $sent[0]['http_requests_total{method="GET",route="command",status="200"}']);
    }

    public function testTheBodyOfAStreamedResponseIsNotInTheDuration(): void
    {
        $symfony = SymfonyApp::recording();
        $symfony->request('GET', '/');
        $symfony->request('GET', '/streamed');
        $client = $symfony->client();
        self::assertInstanceOf(Messages::class, $client);
        [$observed] = array_values(array_filter(
            $client->changes,
            static fn (Pending $change) => ($change->series->labels['route'] ?? '') === 'streamed'
                && $change->observed !== []
        ));

        self::assertLessThan(0.05, $observed->observed[0]);
    }

    /**
     * @dataProvider environments
     */
    public function testAVariableThatIsMissingOrWrongStopsNothing(?string $timeout, string $told): void
    {
        putenv('PUSHPROM_URL=udp://127.0.0.1:9090');
        putenv($timeout === null ? 'PUSHPROM_TIMEOUT_MS' : "PUSHPROM_TIMEOUT_MS=$timeout");
        $symfony = new SymfonyApp(
            "{ url: '%env(PUSHPROM_URL)%', timeout_ms: '%env(int:PUSHPROM_TIMEOUT_MS)%' }",
            logger: CountingLogger::class
        );
        self::assertSame(0, $symfony->console('cache:warmup'));
        self::assertSame(0, $symfony->console('about'));
        self::assertSame('home', $symfony->request('GET', '/')->getContent());
        self::assertInstanceOf(NullClient::class, $symfony->client());

        $logger = $symfony->getContainer()->get('logger');
        self::assertSame(["error: pushprom: nothing is sent: $told"], $logger->told);
    }

    /**
     * @return iterable<string, array{?string, string}>
     */
    public static function environments(): iterable
    {
        yield 'missing' => [null, 'Environment variable not found: "PUSHPROM_TIMEOUT_MS".'];
        yield 'wrong' => ['soon', 'Non-numeric env var "PUSHPROM_TIMEOUT_MS" cannot be cast to int.'];
    }

    /**
     * @dataProvider documented
     * @param class-string $class
     */
    public function testTheConfigurationOfTheDocumentationWorks(string $environment, string $url, string $class): void
    {
        putenv($url);
        $page = (string) file_get_contents(dirname(__DIR__, 3) . '/docs/frameworks.md');
        self::assertSame(1, preg_match('~```yaml\n(# config/packages/pushprom.yaml\n.*?)```~s', $page, $snippet));
        $symfony = new SymfonyApp($snippet[1], environment: $environment);

        self::assertSame('home', $symfony->request('GET', '/')->getContent());
        self::assertInstanceOf($class, $symfony->client());
    }

    /**
     * @return iterable<string, array{string, string, class-string}>
     */
    public static function documented(): iterable
    {
        $url = 'PUSHPROM_URL=udp://127.0.0.1:9090';
        yield 'in production' => ['prod', $url, Client::class];
        yield 'in production, without the variable' => ['prod', 'PUSHPROM_URL', NullClient::class];
        yield 'in a test' => ['test', $url, RecordingClient::class];
        yield 'in a test, without the variable' => ['test', 'PUSHPROM_URL', RecordingClient::class];
    }

    public function testALoggerMayCountWithTheClient(): void
    {
        $symfony = new SymfonyApp("{ url: 'unix:///nonexistent/push.sock' }", logger: CountingLogger::class);
        self::assertSame('home', $symfony->request('GET', '/')->getContent());
        $logger = $symfony->getContainer()->get('logger');

        self::assertStringStartsWith('warning: pushprom: ', $logger->told[0]);
    }

    public function testLabelsAndBucketsMayComeFromTheEnvironment(): void
    {
        putenv('PUSHPROM_LABELS={"app":"shop"}');
        putenv('PUSHPROM_BUCKETS=0.1,1');
        $symfony = SymfonyApp::recording(
            "{ const_labels: '%env(json:PUSHPROM_LABELS)%', http_buckets: '%env(csv:PUSHPROM_BUCKETS)%' }"
        );
        $symfony->request('GET', '/');
        $client = $symfony->client();
        self::assertInstanceOf(Messages::class, $client);

        self::assertSame(['buckets' => [0.1, 1]], $client->changes[0]->series->recipe);
    }

    public function testOptionsMayComeFromTheEnvironment(): void
    {
        putenv('PUSHPROM_URL=udp://127.0.0.1:9090');
        putenv('PUSHPROM_TIMEOUT_MS=50');
        $symfony = new SymfonyApp(
            "{ url: '%env(PUSHPROM_URL)%', timeout_ms: '%env(int:PUSHPROM_TIMEOUT_MS)%', const_labels: { app: shop } }"
        );
        self::assertInstanceOf(Client::class, $symfony->client());

        putenv('PUSHPROM_HTTP_METRICS=0');
        $symfony = SymfonyApp::recording("{ http_metrics: '%env(bool:PUSHPROM_HTTP_METRICS)%' }");
        $symfony->request('GET', '/order');
        self::assertSame([['orders_total' => 1]], self::sent($symfony));
    }

    /**
     * @dataProvider off
     */
    public function testNothingIsSentIfThatIsWanted(string $options): void
    {
        $symfony = new SymfonyApp($options);

        self::assertInstanceOf(NullClient::class, $symfony->client());
        self::assertSame('home', $symfony->request('GET', '/')->getContent());
    }

    /**
     * @return iterable<string, array{string}>
     */
    public static function off(): iterable
    {
        yield 'no configuration' => ['~'];
        yield 'no url' => ['{ url: ~ }'];
        yield 'off' => ["{ url: 'udp://127.0.0.1:9090', enabled: false }"];
    }

    /**
     * @dataProvider mistakes
     */
    public function testAMistakeInTheConfigurationIsRefused(string $options, string $error): void
    {
        $this->expectException(InvalidConfigurationException::class);
        $this->expectExceptionMessageMatches("/$error/");
        (new SymfonyApp($options))->boot();
    }

    /**
     * @return iterable<string, array{string, string}>
     */
    public static function mistakes(): iterable
    {
        yield 'an option that is none' => ['{ uri: "udp://h" }', 'Unrecognized option "uri" under "pushprom"'];
        yield 'text for a number' => ['{ timeout_ms: soon }', 'pushprom.timeout_ms'];
        yield 'text for a switch' => ['{ http_metrics: maybe }', 'pushprom.http_metrics'];
    }

    /**
     * @dataProvider \Pushprom\Tests\Support\Nowhere::urls
     */
    public function testResponsesAreTheSameIfNobodyListensAndTheLoggerFails(string $url, int $told): void
    {
        $plain = new SymfonyApp('~');
        $symfony = new SymfonyApp("{ url: '$url', retries: 0, http_in_flight: true }");
        foreach (['/', '/users/7', '/admin.php', '/forbidden', '/broken'] as $path) {
            $expected = $plain->request('GET', $path);
            $response = $symfony->request('GET', $path);
            self::assertSame($expected->getContent(), $response->getContent());
            self::assertSame($expected->getStatusCode(), $response->getStatusCode());
        }
        $logger = $symfony->getContainer()->get('logger');
        // Symfony holds its container until the process ends; the client has to end before.
        $client = $symfony->client();
        if ($client instanceof Client) {
            $client->__destruct();
        }

        self::assertGreaterThanOrEqual($told, $logger->told);
    }

    /**
     * @return list<array<string, int|float|string>>
     */
    private static function sent(SymfonyApp $symfony): array
    {
        $client = $symfony->client();
        self::assertInstanceOf(Messages::class, $client);

        return $client->sent;
    }
}
