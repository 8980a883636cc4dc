<?php

declare(strict_types=1);

namespace Pushprom\Tests\Unit\Dropin;

use PHPUnit\Framework\TestCase;
use Pushprom\Client;
use pushprom\Connection;
use pushprom\Counter;
use pushprom\Gauge;
use pushprom\Histogram;
use pushprom\Summary;
use Pushprom\Tests\Support\DatagramRecorder;

/**
 * A connection with a client sends nothing by itself that composes.
 */
final class GatheringTest extends TestCase
{
    private DatagramRecorder $server;

    private Client $client;

    private Connection $connection;

    protected function setUp(): void
    {
        $this->server = new DatagramRecorder();
        $url = "udp://{$this->server->address}";
        $this->client = new Client($url);
        $this->connection = new Connection($url, ['job' => 'shop'], null, $this->client);
    }

    /**
     * @dataProvider calls
     * @param class-string $class
     * @param list<array{string, list<mixed>}> $calls methods with their arguments
     */
    public function testIsSentComposed(string $class, array $calls, string $sent): void
    {
        $metric = new $class($this->connection, 'm', 'M.', ['job' => 'less', 'n' => 1]);
        foreach ($calls as [$method, $arguments]) {
            self::assertNull($metric->$method(...$arguments));
        }
        self::assertSame([], $this->server->datagrams());
        self::assertTrue($this->client->flush());
        $type = strtolower((string) substr((string) strrchr($class, '\\'), 1));
        $frame = '{"type":"%s","name":"m","help":"M.","labels":{"job":"shop","n":"1"},%s}';
        self::assertSame([sprintf($frame, $type, $sent)], $this->server->datagrams());
        self::assertSame([], $this->client->lost());
    }

    /**
     * @return iterable<string, array{class-string, list<array{string, list<mixed>}>, string}>
     */
    public static function calls(): iterable
    {
        $inc = ['inc', []];
        $dec = ['dec', []];
        yield 'ten inc' => [Counter::class, array_fill(0, 10, $inc), '"method":"add","value":10'];
        yield 'one inc' => [Counter::class, [$inc], '"method":"inc"'];
        yield 'counter add' => [Counter::class, [['add', ['2']], ['add', [0.5]]], '"method":"add","value":2.5'];
        yield 'gauge set' => [Gauge::class, [['set', [1]], ['set', [7.3]]], '"method":"set","value":7.3'];
        yield 'gauge set to null' => [Gauge::class, [['set', [null]]], '"method":"set","value":0'];
        yield 'gauge set and more' => [
            Gauge::class,
            [['set', [5]], $inc, $inc, $dec, ['add', [10]], ['sub', [1]]],
            '"method":"set","value":15',
        ];
        yield 'gauge down' => [Gauge::class, [$dec, ['sub', [2]]], '"method":"add","value":-3'];
        yield 'histogram' => [
            Histogram::class,
            [['observe', [1]], ['observe', [2.5]]],
            '"method":"observe","value":[1,2.5]',
        ];
        yield 'histogram with buckets' => [
            Histogram::class,
            [['observe', [1, [0.5, 5]]], ['observe', [2, [0.5, 5]]]],
            '"buckets":[0.5,5],"method":"observe","value":[1,2]',
        ];
        yield 'summary' => [Summary::class, [['observe', [0.1]]], '"method":"observe","value":0.1'];
    }

    /**
     * @dataProvider singular
     * @param array<mixed> $delta
     */
    public function testWhatDoesNotComposeIsSentAtOnce(array $delta): void
    {
        self::assertNull($this->connection->push($delta));
        $delta['labels'] = ['job' => 'shop'];
        self::assertSame([json_encode($delta)], $this->server->datagrams());
    }

    public function testWhatWasPushedBeforeItArrivesBeforeIt(): void
    {
        $gauge = ['type' => 'gauge', 'name' => 'a', 'help' => 'A.', 'labels' => ['job' => 'shop'], 'value' => 1];
        $this->connection->push($gauge + ['method' => 'set']);
        $odd = $gauge + ['method' => 'set', 'exemplar' => null];
        $this->connection->push($odd);
        $this->connection->push($gauge + ['method' => 'inc']);
        $this->client->flush();
        $sent = array_map(static fn (string $datagram) => json_decode($datagram, true), $this->server->datagrams());
        self::assertSame(['set', 'set', 'inc'], array_column($sent, 'method'));
        self::assertSame([0 => false, 1 => true, 2 => false], array_map(
            static fn (array $delta) => array_key_exists('exemplar', $delta),
            $sent
        ));
    }

    /**
     * @return iterable<string, array{array<mixed>}>
     */
    public static function singular(): iterable
    {
        $deltas = [
            'counter set' => ['type' => 'counter', 'name' => 'a', 'value' => 9, 'method' => 'set'],
            'declare' => ['type' => 'counter', 'name' => 'a', 'method' => 'declare'],
            'exemplar' => ['type' => 'counter', 'name' => 'a', 'method' => 'inc', 'exemplar' => ['labels' => []]],
            'values' => ['type' => 'summary', 'name' => 'a', 'value' => [1, 2], 'method' => 'observe'],
            'odd type' => ['type' => 'mycounter', 'name' => 'a', 'method' => 'inc'],
            'no type' => ['name' => 'a', 'method' => 'inc'],
            'odd method' => ['type' => 'gauge', 'name' => 'a', 'method' => ['inc']],
            'odd name' => ['type' => 'gauge', 'name' => 1, 'method' => 'inc'],
            'odd help' => ['type' => 'gauge', 'name' => 'a', 'help' => false, 'method' => 'inc'],
            'odd buckets' => ['type' => 'histogram', 'name' => 'a', 'method' => 'observe', 'buckets' => ['1']],
            'named buckets' => ['type' => 'histogram', 'name' => 'a', 'method' => 'observe', 'buckets' => ['a' => 1]],
            'no buckets' => ['type' => 'histogram', 'name' => 'a', 'method' => 'observe', 'buckets' => 5],
        ];
        foreach ($deltas as $name => $delta) {
            yield $name => [$delta];
        }
    }

    public function testWhatCannotBeSentIsCounted(): void
    {
        (new Counter($this->connection, 'a_total', 'As.'))->add(-1);
        (new Gauge($this->connection, 'g', 'G.'))->set(NAN);
        (new Gauge($this->connection, 'g', 'G.', ['list']))->inc();
        self::assertSame(['value' => 2, 'label' => 1], $this->client->lost());
    }
}
