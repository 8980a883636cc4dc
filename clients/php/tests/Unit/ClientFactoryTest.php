<?php

declare(strict_types=1);

namespace Pushprom\Tests\Unit;

use PHPUnit\Framework\TestCase;
use Psr\Log\Test\TestLogger;
use Pushprom\Client;
use Pushprom\ClientFactory;
use Pushprom\NullClient;
use Pushprom\Queue\Result;
use Pushprom\Tests\Support\Messages;
use Pushprom\Tests\Support\ThrowingLogger;

final class ClientFactoryTest extends TestCase
{
    /**
     * @dataProvider options
     * @param array<string, mixed> $options
     * @param class-string $class
     */
    public function testOptionsMakeAClient(array $options, string $class): void
    {
        $logger = new TestLogger();
        self::assertInstanceOf($class, ClientFactory::make($options, $logger));
        self::assertSame([], $logger->records);
        self::assertInstanceOf($class, ClientFactory::make($options));
    }

    /**
     * @return iterable<string, array{array<string, mixed>, class-string}>
     */
    public static function options(): iterable
    {
        $url = ['url' => 'udp://127.0.0.1:9090'];
        yield 'a url' => [$url, Client::class];
        yield 'none' => [[], NullClient::class];
        yield 'no url' => [['enabled' => true, 'url' => null], NullClient::class];
        yield 'an empty url' => [['url' => ''], NullClient::class];
        yield 'off' => [['enabled' => false] + $url, NullClient::class];
        yield 'off, as text' => [['enabled' => 'false'] + $url, NullClient::class];
        yield 'on, as text' => [['enabled' => '1'] + $url, Client::class];
        yield 'all' => [
            [
                'url' => 'https://pushprom.example:9091',
                'const_labels' => ['app' => 'shop'],
                'token' => '123',
                'ca_file' => '/etc/ca.pem',
                'connect_timeout_ms' => 50,
                'timeout_ms' => 100,
                'retries' => 0,
                'datagram_bytes' => 512,
                'flush_interval_seconds' => 2.5,
                'flush_count' => 100,
                'http_metrics' => true,
            ],
            Client::class,
        ];
        yield 'numbers as text' => [
            [
                'connect_timeout_ms' => '50',
                'timeout_ms' => '100',
                'retries' => '0',
                'datagram_bytes' => '',
                'flush_interval_seconds' => '2',
                'flush_count' => '1e3',
            ] + $url,
            Client::class,
        ];
        yield 'a whole number with a point' => [['retries' => '2.0', 'timeout_ms' => 100.0] + $url, Client::class];
        yield 'a token that looks like a number' => [
            ['token' => 12345, 'const_labels' => null] + $url,
            Client::class,
        ];
    }

    /**
     * @dataProvider mistakes
     * @param array<string, mixed> $options
     */
    public function testAMistakeIsLoggedAndNothingIsSent(array $options, string $told): void
    {
        $logger = new TestLogger();
        self::assertInstanceOf(NullClient::class, ClientFactory::make($options, $logger));
        self::assertTrue($logger->hasErrorThatContains($told), $logger->records[0]['message'] ?? 'nothing was logged');

        self::assertInstanceOf(NullClient::class, ClientFactory::make($options));
        self::assertInstanceOf(NullClient::class, ClientFactory::make($options, new ThrowingLogger()));
    }

    /**
     * @return iterable<string, array{array<string, mixed>, string}>
     */
    public static function mistakes(): iterable
    {
        yield 'no address' => [['url' => '127.0.0.1:9090'], 'nothing is sent: the URL is no address'];
        $url = ['url' => 'udp://h'];
        yield 'a number as url' => [['url' => 9090], 'nothing is sent: the URL is no address'];
        yield 'a list as url' => [['url' => ['udp://h']], 'url is array, and has to be text'];
        yield 'a switch' => [$url + ['enabled' => 'ture'], 'enabled is "ture", and has to be true or false'];
        yield 'a number that is none' => [$url + ['timeout_ms' => 'soon'], 'timeout_ms is "soon", and has'];
        yield 'a number with a part' => [$url + ['timeout_ms' => 1.5], 'timeout_ms is 1.5, and has to be'];
        yield 'a number out of range' => [$url + ['timeout_ms' => '0'], 'timeout_ms is "0", and has to be a whole'];
        yield 'infinity' => [$url + ['flush_count' => INF], 'flush_count is INF, and has to be a whole number'];
        yield 'fewer than none' => [$url + ['retries' => -1], 'retries is -1, and has to be a whole'];
        yield 'a time before' => [$url + ['flush_interval_seconds' => '-1'], 'flush_interval_seconds is "-1", and has'];
        yield 'no time' => [$url + ['flush_interval_seconds' => NAN], 'flush_interval_seconds is NAN, and has'];
        yield 'a token in a list' => [$url + ['token' => ['secret']], 'token is array, and has to be text'];
        yield 'labels without names' => [$url + ['const_labels' => ['shop']], 'a name in const_labels is 0, and has'];
        yield 'labels that are none' => [$url + ['const_labels' => 'shop'], 'const_labels is "shop", and has'];
        foreach (['my-app', '__x', 'le', 'quantile', '1st', "app\n", ''] as $name) {
            yield "a label named \"$name\"" => [
                $url + ['const_labels' => [$name => 'shop']],
                "a name in const_labels is \"$name\", and has to be of letters, digits and _",
            ];
        }
        yield 'a label that is no text' => [$url + ['const_labels' => ['app' => []]], 'const_labels.app is []'];
    }

    public function testOptionsThatCannotBeReadAreAMistake(): void
    {
        $logger = new TestLogger();
        $factory = new ClientFactory(static fn () => throw new \RuntimeException('no such variable'), $logger);
        $client = $factory->client();
        $factory->requestMetrics($client)->begin(static fn () => 'GET', static fn () => '/')->end(200);

        self::assertInstanceOf(NullClient::class, $client);
        self::assertSame(
            ['pushprom: nothing is sent: no such variable'],
            array_column($logger->records, 'message')
        );
    }

    /**
     * @dataProvider counted
     * @param array<string, mixed> $options
     * @param list<int|float> $buckets
     */
    public function testAMistakeInWhatIsCountedLeavesTheDefault(array $options, array $buckets, string $told = ''): void
    {
        $client = new Messages();
        $logger = new TestLogger();
        $metrics = (new ClientFactory($options, $logger))->requestMetrics($client);
        $metrics->begin(static fn () => 'GET', static fn () => '/')->end(200);
        $client->flush();

        self::assertCount(1, $client->sent);
        self::assertSame($buckets, $client->changes[0]->series->recipe['buckets'] ?? []);
        self::assertSame(
            $told === '' ? [] : ["pushprom: an option is left out: $told"],
            array_column($logger->records, 'message')
        );
    }

    /**
     * @return iterable<string, array{array<string, mixed>, list<int|float>, 2?: string}>
     */
    public static function counted(): iterable
    {
        $list = ', and has to be a list of numbers in increasing order, such as [0.1, 0.5, 1]; infinity is there by '
            . 'itself';
        yield 'buckets' => [['http_buckets' => [0.1, 1]], [0.1, 1]];
        yield 'buckets by key' => [['http_buckets' => [3 => 0.1, 5 => 1]], [0.1, 1]];
        yield 'buckets as text' => [['http_buckets' => ['0.1', '1']], [0.1, 1]];
        yield 'no buckets' => [['http_buckets' => null], []];
        yield 'buckets in one text' => [['http_buckets' => '0.1,1'], [], 'http_buckets is "0.1,1"' . $list];
        yield 'buckets the other way round' => [['http_buckets' => [1, 0.1]], [], 'http_buckets is [1, 0.1]' . $list];
        yield 'a bucket twice' => [['http_buckets' => [1, '1']], [], 'http_buckets is [1, "1"]' . $list];
        yield 'a bucket without end' => [['http_buckets' => [1, INF]], [], 'http_buckets is [1, INF]' . $list];
        yield 'a bucket that is none' => [['http_buckets' => ['soon']], [], 'http_buckets is ["soon"]' . $list];
        yield 'a switch' => [['http_metrics' => 'yess'], [], 'http_metrics is "yess", and has to be true or false'];
        yield 'another' => [['http_in_flight' => 'ja'], [], 'http_in_flight is "ja", and has to be true or false'];
    }

    /**
     * @dataProvider switches
     */
    public function testWhatIsCountedMayBeTurnedOff(mixed $wanted, bool $on): void
    {
        $client = new Messages();
        $factory = new ClientFactory([
            'http_metrics' => $wanted,
            'queue_metrics' => $wanted,
            'console_metrics' => $wanted,
        ]);
        $factory->requestMetrics($client)->begin(static fn () => 'GET', static fn () => '/')->end(200);
        $jobs = $factory->jobMetrics($client);
        $jobs->begin($this);
        $jobs->end($this, 'mail', 'SendMail', Result::Processed);
        $factory->commandMetrics($client)->count('env', 0);

        self::assertCount($on ? 5 : 0, $client->rest());
    }

    /**
     * @return iterable<string, array{mixed, bool}>
     */
    public static function switches(): iterable
    {
        yield 'on' => [true, true];
        yield 'on, as text' => ['true', true];
        yield 'off' => [false, false];
        yield 'off, as text' => ['off', false];
        yield 'nothing' => [null, true];
        yield 'an empty text' => ['', true];
    }
}
