<?php

declare(strict_types=1);

namespace Pushprom\Tests\Unit\Dropin;

use PHPUnit\Framework\TestCase;
use pushprom\Connection;
use pushprom\Counter;
use pushprom\Gauge;
use Pushprom\Tests\Support\DatagramRecorder;
use Pushprom\Tests\Support\Folder;
use Pushprom\Tests\Support\HttpRecorder;
use Pushprom\Tests\Support\Wait;

/**
 * What the classes of the old client do beside sending the right bytes. PHPUnit makes a warning an exception, and
 * output a failure.
 */
final class ConnectionTest extends TestCase
{
    /** @var list<string> */
    private array $told = [];

    /**
     * @dataProvider wrongArguments
     * @param callable(): object $construct
     */
    public function testConstructorsRefuse(callable $construct, string $message): void
    {
        try {
            $construct();
        } catch (\Exception $error) {
            self::assertSame($message, $error->getMessage());

            return;
        }
        self::fail("not refused; expected: $message");
    }

    /**
     * @return iterable<string, array{callable(): object, string}>
     */
    public static function wrongArguments(): iterable
    {
        $protocol = 'Protocol %s not supported. Valid values are: http,https,udp,unix.';
        foreach (['ftp://127.0.0.1' => 'ftp', 'localhost' => '', '' => '', 'http://[::1]:99999' => ''] as $url => $it) {
            yield "URL '$url'" => [static fn () => new Connection($url), sprintf($protocol, $it)];
        }
        foreach ([[0, 1], [1, 0]] as $times) {
            yield 'timeouts ' . implode(' ', $times) => [
                static fn () => new Connection('udp://127.0.0.1', [], null, null, ...$times),
                'pushprom: a timeout has to be 1 ms or more',
            ];
        }
        $none = 'The first argument needs to be one of pushprom\yii2\ConnectionProxy, pushprom\Connection.';
        foreach ([null, false, 0, ''] as $connection) {
            yield 'connection ' . var_export($connection, true) => [
                static fn () => new Counter($connection, 'n', 'h'),
                $none,
            ];
        }
        foreach (['', '0'] as $nothing) {
            yield "name '$nothing'" => [
                static fn () => new Counter(new \stdClass(), $nothing, 'h'),
                "metric Name can't be empty.",
            ];
            yield "help '$nothing'" => [
                static fn () => new Counter(new \stdClass(), 'n', $nothing),
                "metric Help can't be empty.",
            ];
        }
    }

    /**
     * @dataProvider answers
     */
    public function testWhatTheServerSaysIsReturned(
        string $status,
        string $body,
        bool|string $returned,
        string $told
    ): void {
        $server = new HttpRecorder($status, $body);
        $timeoutMs = $status === '' ? 100 : 10_000;
        $connection = new Connection("http://$server->address", [], $this->tell(...), null, 10_000, $timeoutMs);
        self::assertSame($returned, (new Counter($connection, 'a_total', 'As.'))->inc());
        self::assertCount(1, Wait::for('the request', static fn () => $server->requests() ?: null));
        $this->assertTold($told);
    }

    /**
     * @return iterable<string, array{string, string, bool|string, string}>
     */
    public static function answers(): iterable
    {
        yield 'taken' => ['200 OK', 'ok', 'ok', ''];
        yield 'nothing said' => ['204 No Content', '', '', ''];
        yield 'refused' => ['400 Bad Request', "bad\n", "bad\n", '~^pushprom: 1 lost \(refused\): .* "bad\\\\n"$~'];
        yield 'late' => ['', '', false, '~^pushprom: 1 lost \(timeout\): http://127~'];
    }

    public function testWaitsOnceInAWhileForAServerThatIsSilent(): void
    {
        $server = new HttpRecorder('');
        $connection = new Connection("http://$server->address", [], $this->tell(...), null, 100, 100);
        $counter = new Counter($connection, 'a_total', 'As.');
        $start = hrtime(true);
        for ($push = 0; $push < 20; $push++) {
            self::assertFalse($counter->inc());
        }
        $elapsed = hrtime(true) - $start;
        self::assertNotSame([], Wait::for('a request', static fn () => $server->requests() ?: null));
        self::assertLessThan(5, count($server->requests()));
        self::assertLessThan(1.9e9, $elapsed);
        self::assertStringContainsString('was not there a moment ago', $this->told[1]);
    }

    /**
     * @dataProvider nobodyThere
     */
    public function testNobodyIsThere(string $url, bool|null $returned, string $told): void
    {
        $connection = new Connection($url, [], $this->tell(...));
        self::assertSame($returned, (new Counter($connection, 'a_total', 'As.'))->inc());
        $this->assertTold($told);
    }

    /**
     * @return iterable<string, array{string, bool|null, string}>
     */
    public static function nobodyThere(): iterable
    {
        yield 'http' => ['http://127.0.0.1:1', false, '~^pushprom: 1 lost \(unreachable\): http://127~'];
        yield 'https' => ['https://u:secret@127.0.0.1:1', false, '~^pushprom: 1 lost \(unreachable\): https://127~'];
        yield 'no socket' => ['unix:///nowhere/x.sock', null, '~^pushprom: 1 lost \(unreachable\): unix:///nowhere~'];
        yield 'http without a host' => ['http:/9091', false, '~^pushprom: 1 lost \(unreachable\): .* no address$~'];
        yield 'http, port 0' => ['http://127.0.0.1:0', false, '~^pushprom: 1 lost \(unreachable\): .* no address$~'];
        yield 'udp without a host' => ['udp:/9090', null, '~^pushprom: 1 lost \(unreachable\): .* no address$~'];
        yield 'udp to nobody' => ['udp://127.0.0.1:1', null, '~^pushprom: 1 lost \(unreachable\): nobody is at udp~'];
    }

    /**
     * @dataProvider unencodable
     * @param array<mixed> $labels
     */
    public function testWhatIsNoJson(array $labels, float $value): void
    {
        $http = new HttpRecorder('400 Bad Request', 'EOF');
        $udp = new DatagramRecorder();
        foreach (["http://$http->address" => 'EOF', "udp://$udp->address" => null] as $url => $returned) {
            $this->told = [];
            $gauge = new Gauge(new Connection($url, [], $this->tell(...)), 'g', 'G.', $labels);
            self::assertSame($returned, $gauge->set($value));
            self::assertStringStartsWith('pushprom: a delta cannot be written as JSON: ', $this->told[0]);
        }
        self::assertStringEndsWith("\r\nContent-Length: 0\r\n\r\n", $http->requests()[0]);
        self::assertSame([], $udp->datagrams());
    }

    /**
     * @return iterable<string, array{array<mixed>, float}>
     */
    public static function unencodable(): iterable
    {
        yield 'invalid UTF-8' => [['a' => "\xc3("], 1];
        yield 'INF' => [[], INF];
        yield 'NaN' => [[], NAN];
    }

    /**
     * @dataProvider oddArguments
     * @param array<mixed> $labels
     */
    public function testOddArgumentsHarmNobody(array $labels, mixed $value, string $sent): void
    {
        $server = new DatagramRecorder();
        (new Gauge(new Connection("udp://$server->address"), 'g', 'G.', $labels))->set($value);
        $frame = '{"type":"gauge","name":"g","help":"G.","labels":%s,"method":"set"}';
        self::assertSame([sprintf($frame, $sent)], $server->datagrams());
    }

    /**
     * @return iterable<string, array{array<mixed>, mixed, string}>
     */
    public static function oddArguments(): iterable
    {
        $broken = new class {
            public function __toString(): string
            {
                throw new \LogicException();
            }
        };
        yield 'array as label' => [['a' => ['b']], 1, '{"a":"Array"},"value":1'];
        yield 'object as label' => [['a' => new \stdClass()], 1, '{"a":"stdClass"},"value":1'];
        yield 'object with text' => [['a' => new \SplFileInfo('/x')], 1, '{"a":"\/x"},"value":1'];
        yield 'object whose text fails' => [['a' => $broken], 1, '{"a":"class@anonymous"},"value":1'];
        yield 'object as value' => [[], new \stdClass(), '{},"value":1'];
        yield 'array as value' => [[], [], '{},"value":0'];
        yield 'false as value' => [[], false, '{},"value":0'];
    }

    /**
     * @dataProvider credentials
     */
    public function testUserAndPasswordAreSentAsTheyAreWritten(string $credentials, ?string $sent): void
    {
        $server = new HttpRecorder();
        (new Counter(new Connection("http://$credentials$server->address"), 'a_total', 'As.'))->inc();
        $found = preg_match('/^Authorization: Basic (.*)\r$/m', $server->requests()[0], $header) === 1;
        self::assertSame($sent, $found ? base64_decode($header[1]) : null);
    }

    /**
     * @return iterable<string, array{string, string|null}>
     */
    public static function credentials(): iterable
    {
        yield 'plain' => ['shop:secret@', 'shop:secret'];
        yield 'percent' => ['shop:p%40ss@', 'shop:p%40ss'];
        yield 'signs' => ['shop:p@s:s+@', 'shop:p@s:s+'];
        yield 'no password' => ['shop@', null];
        yield 'no user' => [':secret@', null];
    }

    public function testALongDatagramIsSentAndTold(): void
    {
        $server = new DatagramRecorder();
        $connection = new Connection("udp://$server->address", [], $this->tell(...));
        $frameBytes = strlen('{"type":"counter","name":"a_total","help":"As.","labels":{"a":""},"method":"inc"}');
        foreach ([508 => '', 509 => '~ 509 bytes; datagrams of more than 508 ~'] as $bytes => $told) {
            (new Counter($connection, 'a_total', 'As.', ['a' => str_repeat('v', $bytes - $frameBytes)]))->inc();
            self::assertSame([$bytes], array_map(strlen(...), $server->datagrams()));
            $this->assertTold($told);
        }
    }

    public function testTellsTheLogOfPhpIfNobodyElseIsToBeTold(): void
    {
        $log = Folder::make() . '/log';
        $before = ini_set('error_log', $log);
        try {
            (new Counter(new Connection('http://127.0.0.1:1'), 'a_total', 'As.'))->inc();
        } finally {
            ini_set('error_log', (string) $before);
        }
        self::assertStringContainsString('pushprom: 1 lost (unreachable): ', (string) file_get_contents($log));
    }

    public function testAFunctionThatFailsWhenToldIsNoHarm(): void
    {
        $connection = new Connection('http://127.0.0.1:1', [], static fn () => throw new \LogicException());
        self::assertFalse((new Counter($connection, 'a_total', 'As.'))->inc());
    }

    public function testAConnectionOutlivesItsProcess(): void
    {
        $recorder = new DatagramRecorder();
        $counter = new Counter(new Connection("udp://$recorder->address", ['app' => 'shop']), 'n', 'h');
        unserialize(serialize($counter))->inc();
        self::assertSame(
            ['{"type":"counter","name":"n","help":"h","labels":{"app":"shop"},"method":"inc"}'],
            $recorder->datagrams()
        );
    }

    public function testOthersCanTakeTheDeltas(): void
    {
        $other = new class {
            /** @var array<mixed> */
            public array $delta = [];

            /**
             * @param array<mixed> $delta
             */
            public function push(array $delta): string
            {
                $this->delta = $delta;

                return 'taken';
            }
        };
        self::assertSame('taken', (new ExtendedGauge($other, 'g', 'G.', ['a' => 1]))->sub('7.3'));
        self::assertSame(
            [
                'type' => 'extendedgauge',
                'name' => 'g',
                'help' => 'G.',
                'labels' => ['a' => '1'],
                'value' => 14.6,
                'method' => 'sub',
            ],
            $other->delta
        );
    }

    private function tell(string $message): void
    {
        $this->told[] = $message;
    }

    private function assertTold(string $pattern): void
    {
        if ($pattern === '') {
            self::assertSame([], $this->told);

            return;
        }
        self::assertCount(1, $this->told);
        self::assertMatchesRegularExpression($pattern, $this->told[0]);
    }
}
