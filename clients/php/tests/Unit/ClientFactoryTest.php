<?php

declare(strict_types=1);

namespace Pushprom\Tests\Unit;

use PHPUnit\Framework\TestCase;
use Psr\Log\Test\TestLogger;
use Pushprom\Client;
use Pushprom\ClientFactory;
use Pushprom\NullClient;
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
                'flush_count' => '100',
            ] + $url,
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
        yield 'no address' => [['url' => '127.0.0.1:9090'], 'nothing is sent: pushprom: the URL is no address'];
        yield 'a number as url' => [['url' => 9090], 'nothing is sent: '];
        yield 'a number that is none' => [['url' => 'udp://h', 'timeout_ms' => 'soon'], 'timeoutMs'];
        yield 'a number out of range' => [['url' => 'udp://h', 'timeout_ms' => '0'], 'timeoutMs is 0'];
        yield 'labels without names' => [['url' => 'udp://h', 'const_labels' => ['shop']], 'constLabels'];
        yield 'labels that are none' => [['url' => 'udp://h', 'const_labels' => 'shop'], 'constLabels'];
    }

    /**
     * @dataProvider switches
     */
    public function testSomethingMayBeTurnedOff(mixed $wanted, bool $on): void
    {
        $client = new NullClient();

        self::assertSame($on, ClientFactory::onlyIf($wanted, $client) === $client);
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
        yield 'nothing' => [null, false];
    }
}
