<?php

declare(strict_types=1);

namespace pushprom\yii2\tests\Unit;

use PHPUnit\Framework\TestCase;
use pushprom\Connection;
use pushprom\Gauge;
use Pushprom\Tests\Support\DatagramRecorder;
use pushprom\yii2\Component;
use pushprom\yii2\ConnectionProxy;
use Yii;
use yii\base\Behavior;
use yii\base\InvalidConfigException;

/**
 * The component without an application.
 */
final class ConnectionProxyTest extends TestCase
{
    private DatagramRecorder $server;

    protected function setUp(): void
    {
        $this->server = new DatagramRecorder();
        Yii::getLogger()->messages = [];
    }

    /**
     * @dataProvider calls
     * @param callable(ConnectionProxy): mixed $call
     */
    public function testIsGatheredAndSent(callable $call, string $sent): void
    {
        $proxy = $this->proxy(['constLabels' => ['app' => 'shop']]);
        $call($proxy);
        self::assertSame([], $this->server->datagrams());
        self::assertTrue($proxy->flush());
        self::assertSame([$sent], $this->server->datagrams());
        self::assertSame([], Yii::getLogger()->messages);
    }

    /**
     * @return iterable<string, array{callable(ConnectionProxy): mixed, string}>
     */
    public static function calls(): iterable
    {
        $frame = '{"type":"%s","name":"m","help":"M.","labels":{"app":"shop"%s},%s}';
        $labels = ['status' => 200];
        $sentLabels = ',"status":"200"';
        yield 'set' => [
            static fn (ConnectionProxy $proxy) => $proxy->set('7.5', 'Gauge', 'm', 'M.', $labels),
            sprintf($frame, 'gauge', $sentLabels, '"method":"set","value":7.5'),
        ];
        yield 'inc' => [
            static fn (ConnectionProxy $proxy) => $proxy->inc('Counter', 'm', 'M.', $labels),
            sprintf($frame, 'counter', $sentLabels, '"method":"inc"'),
        ];
        yield 'dec' => [
            static fn (ConnectionProxy $proxy) => $proxy->dec('gauge', 'm', 'M.'),
            sprintf($frame, 'gauge', '', '"method":"add","value":-1'),
        ];
        yield 'add' => [
            static fn (ConnectionProxy $proxy) => $proxy->add(2, 'Counter', 'm', 'M.'),
            sprintf($frame, 'counter', '', '"method":"add","value":2'),
        ];
        yield 'sub' => [
            static fn (ConnectionProxy $proxy) => $proxy->sub(2, 'Gauge', 'm', 'M.'),
            sprintf($frame, 'gauge', '', '"method":"add","value":-2'),
        ];
        yield 'observe, histogram' => [
            static fn (ConnectionProxy $proxy) => $proxy->observe(0.3, 'Histogram', 'm', 'M.', $labels),
            sprintf($frame, 'histogram', $sentLabels, '"method":"observe","value":0.3'),
        ];
        yield 'observe, summary' => [
            static fn (ConnectionProxy $proxy) => $proxy->observe(0.3, 'Summary', 'm', 'M.'),
            sprintf($frame, 'summary', '', '"method":"observe","value":0.3'),
        ];
        yield 'logHttpResponse' => [
            static fn (ConnectionProxy $proxy) => $proxy->logHttpResponse(404),
            '{"type":"counter","name":"http_response","help":"count http responses",'
                . '"labels":{"app":"shop","status":"404"},"method":"inc"}',
        ];
        yield 'metric on the component' => [
            static fn (ConnectionProxy $proxy) => self::assertNull((new Gauge($proxy, 'm', 'M.'))->set(2000)),
            sprintf($frame, 'gauge', '', '"method":"set","value":2000'),
        ];
        yield 'metric on its connection' => [
            static fn (ConnectionProxy $proxy) => (new Gauge($proxy->connection, 'm', 'M.'))->set(2000),
            sprintf($frame, 'gauge', '', '"method":"set","value":2000'),
        ];
        yield 'typed interface' => [
            static fn (ConnectionProxy $proxy) => $proxy->client->counter('m', 'M.')->inc(),
            sprintf($frame, 'counter', '', '"method":"inc"'),
        ];
        yield 'what has a text' => [
            static fn (ConnectionProxy $proxy) => $proxy->inc(new \SplFileInfo('Counter'), new \SplFileInfo('m'), 5),
            '{"type":"counter","name":"m","help":"5","labels":{"app":"shop"},"method":"inc"}',
        ];
        yield 'all together' => [
            static function (ConnectionProxy $proxy): void {
                $proxy->inc('Counter', 'm', 'M.');
                (new \pushprom\Counter($proxy, 'm', 'M.'))->inc();
                $proxy->client->counter('m', 'M.')->inc();
            },
            sprintf($frame, 'counter', '', '"method":"add","value":3'),
        ];
    }

    public function testObservesMillisecondsSinceTheRequestBegan(): void
    {
        $proxy = $this->proxy();
        self::assertNull($proxy->logResponseTimeMs());
        $proxy->flush();
        $elapsedMs = Yii::getLogger()->getElapsedTime() * 1_000;
        [$datagram] = $this->server->datagrams();
        self::assertSame(1, preg_match('/^(.*),"value":([0-9.]+)}$/', $datagram, $found));
        self::assertSame(
            '{"type":"histogram","name":"response_time_ms","help":"summary of the response time of http requests",'
                . '"buckets":[5,10,25,50,100,250,500,1000,2500,5000,10000],"method":"observe"',
            $found[1]
        );
        self::assertEqualsWithDelta($elapsedMs, (float) $found[2], 1_000);
        self::assertLessThanOrEqual($elapsedMs, (float) $found[2]);
    }

    public function testBucketsOfTheResponseTimeAreAProperty(): void
    {
        $proxy = $this->proxy(['responseTimeBuckets' => [100, 1_000]]);
        $proxy->logResponseTimeMs();
        $proxy->flush();
        self::assertStringContainsString('"buckets":[100,1000],', $this->server->datagrams()[0]);
    }

    /**
     * @dataProvider labels
     * @param array<string, mixed> $config
     */
    public function testLabelsOfEverySeries(array $config, string $labels): void
    {
        $url = "udp://{$this->server->address}";
        $proxy = new Component($config + ['url' => $url]);
        $proxy->inc('Counter', 'm', 'M.');
        $proxy->set(1, 'Counter', 'm', 'M.');
        $proxy->flush();
        $frame = '{"type":"counter","name":"m","help":"M.","labels":{%s},%s}';
        self::assertSame(
            // What does not compose goes at once, as it has always gone, behind what was gathered.
            [sprintf($frame, $labels, '"method":"inc"'), sprintf($frame, $labels, '"value":1,"method":"set"')],
            $this->server->datagrams()
        );
    }

    /**
     * @return iterable<string, array{array<string, mixed>, string}>
     */
    public static function labels(): iterable
    {
        yield 'job' => [['job' => 'shop'], '"job":"shop"'];
        yield 'others' => [['constLabels' => ['a' => 1]], '"a":"1"'];
        yield 'both' => [['job' => 'shop', 'constLabels' => ['a' => 1]], '"a":"1","job":"shop"'];
        yield 'job twice' => [['job' => 'shop', 'constLabels' => ['job' => 'more']], '"job":"more"'];
    }

    /**
     * @dataProvider mistakes
     * @param callable(ConnectionProxy): mixed $call
     */
    public function testAMistakeIsToldAndNoHarm(callable $call, string $told): void
    {
        $proxy = $this->proxy();
        self::assertNull($call($proxy));
        $proxy->flush();
        self::assertSame([], $this->server->datagrams());
        self::assertSame([$told], array_column(Yii::getLogger()->messages, 0));
    }

    /**
     * @return iterable<string, array{callable(ConnectionProxy): mixed, string}>
     */
    public static function mistakes(): iterable
    {
        yield 'method' => [
            static fn (ConnectionProxy $proxy) => $proxy->dec('Counter', 'm', 'M.'),
            'there is no dec() of a Counter named "m"',
        ];
        yield 'type' => [
            static fn (ConnectionProxy $proxy) => $proxy->inc('Meter', 'm', 'M.'),
            'there is no inc() of a Meter named "m"',
        ];
        yield 'name' => [
            static fn (ConnectionProxy $proxy) => $proxy->inc('Counter', '', 'M.'),
            "metric Name can't be empty.",
        ];
        yield 'nothing' => [
            static fn (ConnectionProxy $proxy) => $proxy->inc('Counter', null, 'M.'),
            "metric Name can't be empty.",
        ];
        yield 'no text' => [
            static fn (ConnectionProxy $proxy) => $proxy->inc([], ['m'], 'M.'),
            'there is no inc() of a Array named "Array"',
        ];
        yield 'unknown' => [
            static fn (ConnectionProxy $proxy) => $proxy->unknown(1),
            'Calling unknown method: pushprom\yii2\ConnectionProxy::unknown()',
        ];
        yield 'hidden' => [
            static fn (ConnectionProxy $proxy) => $proxy->stat('inc', 'Counter', 'm', 'M.'),
            'Calling unknown method: pushprom\yii2\ConnectionProxy::stat()',
        ];
    }

    public function testABehaviorAndAnotherConnectionAreCalled(): void
    {
        $proxy = $this->proxy();
        $proxy->attachBehavior('greeter', new class extends Behavior {
            public function greet(string $whom): string
            {
                return "hello $whom";
            }
        });
        self::assertSame('hello you', $proxy->greet('you'));

        $proxy->connection = new class ('udp://127.0.0.1:1') extends Connection {
            public function ping(int $times): string
            {
                return str_repeat('pong', $times);
            }

            public function push(array $delta)
            {
                return $delta['method'];
            }
        };
        self::assertSame('pongpong', $proxy->ping(2));
        self::assertSame('dec', (new Gauge($proxy, 'm', 'M.'))->dec());
    }

    /**
     * @dataProvider wrongConfigurations
     * @param array<string, mixed> $config
     */
    public function testAWrongConfigurationIsRefused(array $config, string $message): void
    {
        $this->expectException(InvalidConfigException::class);
        $this->expectExceptionMessage($message);
        $this->proxy($config);
    }

    /**
     * @return iterable<string, array{array<string, mixed>, string}>
     */
    public static function wrongConfigurations(): iterable
    {
        yield 'url' => [['url' => 'ftp://127.0.0.1'], 'pushprom: the URL is no address'];
        yield 'option' => [['options' => ['timeout' => 1]], 'Unknown named parameter $timeout'];
        yield 'value of an option' => [['options' => ['timeoutMs' => 0]], 'timeoutMs is 0'];
        yield 'labels' => [['constLabels' => ['a']], 'labels need names'];
    }

    /**
     * @dataProvider addresses
     */
    public function testWhatAUrlWithoutAPortMeans(string $url, string $address): void
    {
        $proxy = new ConnectionProxy(['url' => $url]);
        $proxy->set(1, 'Counter', 'm', 'M.');
        $proxy->inc('Counter', 'm', 'M.');
        // What its client still has is sent, or lost, when it is let go of.
        unset($proxy);
        $told = array_column(Yii::getLogger()->messages, 0);
        self::assertCount(2, $told);
        foreach ($told as $message) {
            self::assertMatchesRegularExpression('~^pushprom: 1 lost \(\w+\): ' . preg_quote($address) . '~', $message);
        }
    }

    /**
     * @return iterable<string, array{string, string}>
     */
    public static function addresses(): iterable
    {
        yield 'http' => ['http://127.0.0.1', 'http://127.0.0.1:80/'];
        yield 'https' => ['https://127.0.0.1/', 'https://127.0.0.1:443/'];
        yield 'user' => ['HTTP://user:1@127.0.0.1', 'http://127.0.0.1:80/'];
        yield 'IPv6' => ['http://[::1]', 'http://[::1]:80/'];
        yield 'port' => ['http://u:p@127.0.0.1:1', 'http://127.0.0.1:1/'];
    }

    public function testOptionsAreThoseOfTheClient(): void
    {
        $proxy = $this->proxy(['options' => ['flushCount' => 2]]);
        $proxy->inc('Counter', 'm', 'M.');
        $proxy->inc('Counter', 'n', 'N.');
        self::assertCount(1, $this->server->datagrams());
    }

    /**
     * @param array<string, mixed> $config
     */
    private function proxy(array $config = []): ConnectionProxy
    {
        return new ConnectionProxy($config + ['url' => "udp://{$this->server->address}"]);
    }
}
