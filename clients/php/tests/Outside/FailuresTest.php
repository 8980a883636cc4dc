<?php

declare(strict_types=1);

namespace Pushprom\Tests\Outside;

use PHPUnit\Framework\TestCase;
use Pushprom\Tests\Support\FakeServer;
use Pushprom\Tests\Support\Folder;
use Pushprom\Tests\Support\Script;
use Pushprom\Tests\Support\Server;

/**
 * Whatever is at the other end: a page is rendered, in time, and nothing else is to be seen.
 */
final class FailuresTest extends TestCase
{
    private const TIMEOUT_MS = 400;

    /** What a busy machine adds. */
    private const SLACK_MS = 600;

    /**
     * Records 20 deltas, flushes, records one more, and ends. Whatever of it is not caught in the client stops
     * the page.
     */
    private const PAGE = <<<'PHP'
        set_error_handler(static function (int $level, string $message): never {
            throw new ErrorException($message);
        });
        final class BrokenLogger extends Psr\Log\AbstractLogger
        {
            public static array $lines = [];
            public function log($level, $message, array $context = [])
            {
                self::$lines[] = $message;
                throw new RuntimeException('the disk is full');
            }
        }
        [, $url, $timeoutMs, $report] = $argv;
        ob_start();
        $client = new Client($url, logger: new BrokenLogger(), timeoutMs: (int) $timeoutMs);
        for ($i = 0; $i < 20; $i++) {
            $client->counter("page_{$i}_total")->inc();
        }
        $begin = hrtime(true);
        $sent = $client->flush();
        $flushed = hrtime(true);
        $client->counter('ends_total')->inc();
        $end = 0;
        register_shutdown_function(static function () use (&$end): void {
            $end = hrtime(true);
        });
        echo 'page';
        afterClients(static function () use ($client, $report, $begin, $flushed, $sent, &$end): void {
            file_put_contents($report, json_encode([
                'flushMs' => ($flushed - $begin) / 1e6,
                'endMs' => (hrtime(true) - $end) / 1e6,
                'sent' => $sent,
                'lost' => $client->lost(),
                'log' => BrokenLogger::$lines,
            ]));
        });
        PHP;

    /**
     * @param non-empty-list<array{string, string}>|null $turns
     * @param array<string, int> $lost
     * @param list<string> $flags
     * @dataProvider answers
     */
    public function testAPageIsRenderedWhateverIsAnswered(?array $turns, array $lost, array $flags): void
    {
        $server = new FakeServer($turns);
        self::assertSame($lost, self::render("http://$server->address", $flags)['lost']);
    }

    /**
     * @return iterable<string, array{non-empty-list<array{string, string}>|null, array<string, int>, list<string>}>
     */
    public static function answers(): iterable
    {
        $all = ['refused' => 21];
        $unreachable = ['unreachable' => 21];
        $late = ['timeout' => 21];
        $unavailable = ['unavailable' => 21];
        $head = "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n";
        $endless = "HTTP/1.1 200 OK\r\n\r\n";
        $interim = "HTTP/1.1 100 Continue\r\n\r\n";
        $hints = "HTTP/1.1 103 Early Hints\r\nRetry-After: 9\r\n\r\n";
        $cases = [
            'is right' => [FakeServer::answer(200, 'ok'), FakeServer::KEEP, []],
            'is right and closes' => [FakeServer::answer(200, 'ok'), FakeServer::CLOSE, []],
            'has a trailer' => [
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n",
                FakeServer::CLOSE,
                [],
            ],
            'has lines that end otherwise' => ["HTTP/1.1 200 OK\nContent-Length: 2\n\nok", FakeServer::KEEP, []],
            'comes after another' => ["$interim$hints" . FakeServer::answer(200, 'ok'), FakeServer::KEEP, []],
            'is 401 after another' => [$interim . FakeServer::answer(401, 'who?'), FakeServer::KEEP, $all],
            'does not come after another' => [$interim, FakeServer::CLOSE, $unreachable],
            'never comes after another' => [$interim, FakeServer::HANG, $late],
            'breaks off after another' => ["{$interim}HTTP/1.1 200 OK\r\nX-", FakeServer::CLOSE, $unreachable],
            'is 204' => ["HTTP/1.1 204 No Content\r\n\r\n", FakeServer::KEEP, []],
            'is 304' => ["HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", FakeServer::KEEP, $all],
            'never comes' => ['', FakeServer::HANG, $late],
            'trickles' => [$head, FakeServer::TRICKLE, $late],
            'trickles in its header' => ["HTTP/1.1 200 OK\r\nX-Odd: ", FakeServer::TRICKLE, $late],
            'is not as long as it says' => [$head, FakeServer::HANG, $late],
            'is endless' => [$head, FakeServer::FLOOD, []],
            'is endless and has no length' => [$endless, FakeServer::FLOOD, []],
            'has an endless header' => ["HTTP/1.1 200 OK\r\nX-Odd: ", FakeServer::FLOOD, $unreachable],
            'is nothing' => ['', FakeServer::CLOSE, $unreachable],
            'breaks off' => ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no", FakeServer::CLOSE, $unreachable],
            'breaks off in its header' => ["HTTP/1.1 200 OK\r\nContent-Le", FakeServer::CLOSE, $unreachable],
            'is garbage' => [str_repeat("\0\xffgarbage\r\n", 20), FakeServer::CLOSE, $unreachable],
            'is garbage without end' => ["\0\xffgarbage", FakeServer::FLOOD, $unreachable],
            'is a redirect' => [FakeServer::answer(302, '', 'Location: /elsewhere'), FakeServer::KEEP, $all],
            // It has let them in, so it is told of the loss, too.
            'is 400 with text' => [FakeServer::answer(400, "bad\nworse"), FakeServer::KEEP, $all],
            'is 401' => [FakeServer::answer(401, 'who?'), FakeServer::KEEP, $all],
            'is 403' => [FakeServer::answer(403, 'no'), FakeServer::KEEP, $all],
            'is 413' => [FakeServer::answer(413, 'too long'), FakeServer::KEEP, $all],
            'is 413 before the body is read' => [FakeServer::answer(413), FakeServer::HASTY, $all],
            'is 422' => [FakeServer::answer(422, 'other body'), FakeServer::KEEP, $all],
            'is 429' => [FakeServer::answer(429, 'slowly'), FakeServer::KEEP, $unavailable],
            'is 429 until a time' => [FakeServer::answer(429, '', 'Retry-After: 9'), FakeServer::KEEP, $unavailable],
            'is 500' => [FakeServer::answer(500, 'oh'), FakeServer::KEEP, $all],
            'is 503' => [FakeServer::answer(503, 'later'), FakeServer::KEEP, $unavailable],
            'is 503 until a time' => [FakeServer::answer(503, '', 'Retry-After: 1'), FakeServer::KEEP, $unavailable],
            'is 503 until a date' => [
                FakeServer::answer(503, '', 'Retry-After: Fri, 31 Dec 2100 23:59:59 GMT'),
                FakeServer::KEEP,
                $unavailable,
            ],
        ];
        foreach (Script::EXCHANGES as $exchange => $flags) {
            yield "no connection is accepted, $exchange" => [null, $late, $flags];
            foreach ($cases as $case => [$answer, $then, $lost]) {
                yield "the answer $case, $exchange" => [[[$answer, $then]], $lost, $flags];
            }
        }
    }

    /**
     * @param list<string> $flags
     * @dataProvider exchanges
     */
    public function testARefusalInPartIsCountedAsWhatItIs(array $flags): void
    {
        $one = '{"error":"name \\"%d\\" is invalid","index":0}';
        $many = implode(',', array_map(static fn (int $name) => sprintf($one, $name), range(1, 5_000)));
        foreach ([sprintf($one, 7), $many] as $list) {
            $server = new FakeServer([
                [FakeServer::answer(400, "{\"applied\":13,\"rejected\":[$list]}"), FakeServer::KEEP],
                [FakeServer::answer(200, 'ok'), FakeServer::KEEP],
            ]);
            $result = self::render("http://$server->address", $flags);
            self::assertSame(['refused' => 7], $result['lost']);
            self::assertStringContainsString('is invalid', $result['log'][0]);
            // What was refused is not sent again, but it is told how much it was.
            $bodies = array_column($server->requests(), 'body');
            self::assertCount(3, $bodies);
            self::assertStringContainsString('pushclient_lost_total', $bodies[1]);
            self::assertStringContainsString('"value":7}', $bodies[1]);
        }
    }

    /**
     * @param array{string, string} $first
     * @param list<string> $flags
     * @dataProvider excuses
     */
    public function testABatchIsSentAgainWithItsKey(array $first, array $flags): void
    {
        $server = new FakeServer([$first, [FakeServer::answer(200, 'ok'), FakeServer::KEEP]]);
        $result = self::render("http://$server->address", $flags);
        self::assertSame([], $result['lost']);
        self::assertTrue($result['sent']);
        $requests = $server->requests();
        self::assertCount(3, $requests);
        self::assertSame($requests[0]['body'], $requests[1]['body']);
        self::assertSame(self::key($requests[0]['head']), self::key($requests[1]['head']));
        self::assertNotSame(self::key($requests[1]['head']), self::key($requests[2]['head']));
    }

    /**
     * @return iterable<string, array{array{string, string}, list<string>}>
     */
    public static function excuses(): iterable
    {
        foreach (Script::EXCHANGES as $exchange => $flags) {
            foreach ([408, 429, 502, 503, 504] as $status) {
                yield "$status, $exchange" => [[FakeServer::answer($status), FakeServer::KEEP], $flags];
            }
            yield "an end, $exchange" => [['', FakeServer::CLOSE], $flags];
            yield "half an answer, $exchange" => [["HTTP/1.1 200 OK\r\nConte", FakeServer::CLOSE], $flags];
        }
    }

    /**
     * @param array<string, int> $lost
     * @param list<string> $flags
     * @dataProvider nobody
     */
    public function testAPageIsRenderedWhereNobodyIs(string $url, array $lost, array $flags): void
    {
        self::assertSame($lost, self::render($url, $flags)['lost']);
    }

    /**
     * @return iterable<string, array{string, array<string, int>, list<string>}>
     */
    public static function nobody(): iterable
    {
        // Longer than a label may be, so that no server is asked for it.
        $name = str_repeat('x', 64) . '.invalid';
        $unreachable = ['unreachable' => 21];
        yield 'no such socket' => ['unix:///nowhere/push.sock', $unreachable, []];
        yield 'no such host for datagrams' => ["udp://$name:9", $unreachable, []];
        // The kernel tells of the first datagram when it is asked to send the second, and never of that.
        yield 'no such port for datagrams' => ['udp://127.0.0.1:1', ['unreachable' => 21], []];
        foreach (Script::EXCHANGES as $exchange => $flags) {
            yield "no such port, $exchange" => ['http://127.0.0.1:1', $unreachable, $flags];
            yield "no such host, $exchange" => ["http://$name", $unreachable, $flags];
            yield "no such port over TLS, $exchange" => ['https://127.0.0.1:1', $unreachable, $flags];
        }
    }

    /**
     * @param array{string, string}|null $turn
     * @param list<string> $flags
     * @dataProvider handshakes
     */
    public function testAPageIsRenderedWithoutAHandshake(?array $turn, array $flags): void
    {
        $server = new FakeServer($turn === null ? null : [$turn]);
        self::assertSame(['unreachable' => 21], self::render("https://$server->address", $flags)['lost']);
    }

    /**
     * @return iterable<string, array{array{string, string}|null, list<string>}>
     */
    public static function handshakes(): iterable
    {
        $record = "\x16\x03\x03\x40\x00";
        foreach (Script::EXCHANGES as $exchange => $flags) {
            yield "never accepted, $exchange" => [null, $flags];
            yield "never answered, $exchange" => [['', FakeServer::HANG], $flags];
            yield "broken off, $exchange" => [['', FakeServer::HASTY], $flags];
            yield "in plain text, $exchange" => [[FakeServer::answer(400), FakeServer::HASTY], $flags];
            yield "trickling, $exchange" => [[$record, FakeServer::HASTY_TRICKLE], $flags];
        }
    }

    /**
     * @param array<string, int> $lost
     * @param list<string> $flags
     * @dataProvider stopped
     */
    public function testAPageIsRenderedWhileTheServerHangs(string $scheme, array $lost, array $flags): void
    {
        $server = new Server();
        $server->hang();
        try {
            self::assertSame($lost, self::render($server->url($scheme), $flags)['lost']);
        } finally {
            $server->process()->resume();
        }
    }

    /**
     * @return iterable<string, array{string, array<string, int>, list<string>}>
     */
    public static function stopped(): iterable
    {
        // The kernel takes datagrams for it.
        yield 'udp' => ['udp', [], []];
        yield 'unix' => ['unix', ['timeout' => 21], []];
        foreach (Script::EXCHANGES as $exchange => $flags) {
            yield "http, $exchange" => ['http', ['timeout' => 21], $flags];
        }
    }

    /**
     * @dataProvider shared
     */
    public function testWithApcuOneRequestFindsOutForAll(string $answer, string $then, int $seconds): void
    {
        $server = new FakeServer([[$answer, $then]]);
        $result = Script::result(
            <<<'PHP'
            foreach (['first', 'second'] as $request) {
                $client = new Client($argv[1], timeoutMs: 400, retries: 0);
                $client->counter($request)->inc();
                unset($client);
            }
            [, $until] = (new APCUIterator('/^pushprom:outage:/'))->current()['value'];
            echo json_encode(['seconds' => ceil(($until - hrtime(true)) / 1e9)]);
            PHP,
            ["http://$server->address/"],
            ['-d', 'apc.enable_cli=1']
        );
        self::assertSame($seconds, $result['seconds']);
        self::assertCount(1, $server->requests());
    }

    /**
     * @return iterable<string, array{string, string, int}> and for how many seconds the others are spared
     */
    public static function shared(): iterable
    {
        yield 'no answer' => ['', FakeServer::HANG, 1];
        yield 'another time' => [FakeServer::answer(503), FakeServer::KEEP, 1];
        yield 'later' => [FakeServer::answer(503, '', 'Retry-After: 9'), FakeServer::KEEP, 9];
        yield 'much later' => [FakeServer::answer(429, '', 'Retry-After: 86400'), FakeServer::KEEP, 16];
    }

    public function testAfterAnOutageOneRequestFindsOutForAll(): void
    {
        $script = <<<'PHP'
            use Pushprom\Reason;
            use Pushprom\Transport\Outage;

            apcu_store('pushprom:outage:' . hash('sha256', 'here'), [Reason::Timeout->value, hrtime(true)]);
            [$first, $second, $third] = [new Outage('here'), new Outage('here'), new Outage('here')];
            $see = fn () => [$first->reason(), $first->reasonAtEnd(), $second->reason(), $second->reasonAtEnd()];
            $before = $see();
            $first->end();
            $well = $see();
            $third->begin(Reason::Unavailable, 5);
            echo json_encode([$before, $well, $see()]);
            PHP;
        self::assertSame(
            [
                [null, null, 'timeout', 'timeout'],
                [null, null, null, null],
                ['unavailable', 'unavailable', 'unavailable', 'unavailable'],
            ],
            Script::result($script, [], ['-d', 'apc.enable_cli=1'])
        );
    }

    private static function key(string $head): string
    {
        self::assertSame(1, preg_match('/^idempotency-key: ("[0-9a-f]{32}")\r$/im', $head, $found));

        return $found[1];
    }

    /**
     * @return iterable<string, array{list<string>}>
     */
    public static function exchanges(): iterable
    {
        foreach (Script::EXCHANGES as $exchange => $flags) {
            yield $exchange => [$flags];
        }
    }

    /**
     * @param list<string> $flags what PHP is started with
     * @return array{flushMs: float, endMs: float, sent: bool, lost: array<string, int>, log: list<string>}
     */
    private static function render(string $url, array $flags): array
    {
        $report = Folder::make() . '/report';
        $page = Script::run(self::PAGE, [$url, (string) self::TIMEOUT_MS, $report], $flags);
        self::assertSame([0, 'page', ''], [$page->wait(), $page->output(), $page->errors()]);
        $result = json_decode((string) file_get_contents($report), true);
        self::assertLessThan(self::TIMEOUT_MS + self::SLACK_MS, $result['flushMs']);
        self::assertLessThan(self::TIMEOUT_MS + self::SLACK_MS, $result['endMs']);

        return $result;
    }
}
