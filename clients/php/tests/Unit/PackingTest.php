<?php

declare(strict_types=1);

namespace Pushprom\Tests\Unit;

use PHPUnit\Framework\TestCase;
use Pushprom\Client;
use Pushprom\Tests\Support\Folder;

/**
 * How deltas are packed into datagrams, as a socket receives them.
 */
final class PackingTest extends TestCase
{
    /**
     * @dataProvider sizes
     * @param list<int> $helpBytes of the help texts of counters
     * @param list<int> $datagrams their lengths
     */
    public function testDatagramsAreAsLongAsTheyMayBe(string $scheme, array $helpBytes, array $datagrams): void
    {
        $address = $scheme === 'udp' ? 'udp://127.0.0.1:0' : 'udg://' . Folder::make() . '/push.sock';
        $socket = stream_socket_server($address, $code, $message, STREAM_SERVER_BIND);
        $client = new Client("$scheme://" . stream_socket_get_name($socket, false));
        foreach ($helpBytes as $i => $bytes) {
            $client->counter("x$i", str_repeat('h', $bytes))->inc();
        }
        self::assertTrue($client->flush());
        foreach ($datagrams as $length) {
            self::assertSame($length, strlen((string) stream_socket_recvfrom($socket, 65_536)));
        }
        stream_set_blocking($socket, false);
        self::assertSame('', (string) @stream_socket_recvfrom($socket, 65_536));
    }

    /**
     * @return iterable<string, array{string, list<int>, list<int>}>
     */
    public static function sizes(): iterable
    {
        $bare = strlen('{"type":"counter","name":"x0","help":"","method":"inc"}');
        foreach (['udp' => 1_432, 'unix' => 8_192] as $scheme => $limit) {
            $rest = $limit - 2 * $bare - 1;
            yield "$scheme, just as many" => [$scheme, [$rest - 100, 100], [$limit]];
            yield "$scheme, a byte too many" => [$scheme, [$rest - 99, 100], [$limit - 100 - $bare, $bare + 100]];
            $short = intdiv($limit, 4);
            $long = intdiv($limit, 8) * 7;
            yield "$scheme, short and long in turn" => [
                $scheme,
                array_map(fn (int $bytes): int => $bytes - $bare, [$short, $long, $short, $long, $short, $long]),
                [3 * $short + 2, $long, $long, $long],
            ];
            yield "$scheme, one that is longer than any" => [
                $scheme,
                [1, $limit, 2],
                [2 * $bare + 4, $bare + $limit],
            ];
        }
        yield 'one of as many bytes as UDP takes' => ['udp', [65_507 - $bare], [65_507]];
    }

    public function testADeltaLongerThanAnyDatagramIsLostAlone(): void
    {
        $socket = stream_socket_server('udp://127.0.0.1:0', $code, $message, STREAM_SERVER_BIND);
        $client = new Client('udp://' . stream_socket_get_name($socket, false));
        $client->counter('x', str_repeat('h', 65_536))->inc();
        $client->counter('y')->inc();
        $client->flush();
        self::assertSame(['too_long' => 1], $client->lost());
        $delta = '{"type":"counter","name":"y","method":"inc"}';
        self::assertSame($delta, stream_socket_recvfrom($socket, 65_536));
    }
}
